import { BrowserEvents } from "./browser_events.js";
import { whyNoCamera, openCamera } from "./camera.js";
import { EventsSocket } from "./events_socket.js";
import { FrameSender } from "./frame_sender.js";
import { Guide } from "./guide.js";
import { watchHealth } from "./health.js";
import { Heard } from "./heard.js";
import { Incidents } from "./incidents.js";
import { dismiss, notify } from "./notices.js";
import { Overlay } from "./overlay.js";
import { listen } from "./microphone.js";
import { Readings } from "./readings.js";
import { playSound, readSound } from "./recorded_sound.js";
import { openRecording } from "./recording.js";
import { Seen } from "./seen.js";
import { Session } from "./session.js";
import {
  askForFile,
  askForToken,
  lockSetup,
  openSetup,
  prepareSetup,
  readSetup,
  renewSessionId,
  showDevices,
  showPolicies,
} from "./setup.js";
import { SoundSender } from "./sound_sender.js";
import { Speed } from "./speed.js";
import { setToken, takeTokenFromAddress } from "./token.js";
import { Transcript } from "./transcript.js";
import { VideoSocket } from "./video_socket.js";

/*
 * One page, one session at a time:
 *
 *   none --start--> running --stop--> stopped --start--> running ...
 *                      |                 |
 *                      +------end--------+----> none
 */

const video = document.getElementById("video");
const stage = document.getElementById("stage");
const toggle = document.getElementById("toggle");
const end = document.getElementById("end");
const mute = document.getElementById("mute");
const mirror = document.getElementById("mirror");
const connection = document.getElementById("connection");

/** @type {"none" | "starting" | "running" | "stopped"} */
let state = "none";
let source = null;
/** Where the sound comes from, while there is any. */
let sound = null;
let muted = false;

const overlay = new Overlay(document.getElementById("overlay"));
const readings = new Readings();
const incidents = new Incidents();
const speed = new Speed();
const seen = new Seen();
const heard = new Heard();
const transcript = new Transcript();
const guide = new Guide();

const session = new Session(() => {
  events.reset();
  incidents.interrupt();
  notify("session", "warning", "The server had lost this session; it was begun anew under the same id.");
});

const events = new EventsSocket({
  prepare: () => session.ensure(),
  onEvent(event) {
    incidents.receive(event);
    transcript.receive(event);
    guide.receive(event);
  },
  onState: showConnection,
  onEnded: endedByServer,
});

const socket = new VideoSocket({
  prepare: () => session.ensure(),
  onFlow(flow) {
    sender.setFlow(flow);
    speed.setFlow(flow);
  },
  onObservation(observation) {
    if (state !== "running") return;
    const whole = seen.add(observation);
    overlay.show(whole);
    readings.show(whole);
    speed.observed(observation);
    incidents.advance(observation.time);
  },
  onError({ code, detail }) {
    if (code !== "replaced") notify("frames", "warning", `The server could not use a picture: ${detail}`);
  },
  onState(socketState) {
    if (socketState !== "open") source?.flowing(false);
    showConnection();
  },
  onFinal: videoRefused,
});

const soundSender = new SoundSender({
  prepare: () => session.ensure(),
  onSound(observation) {
    if (state === "running") heard.show(observation);
  },
  onState: showSound,
  onFinal(cause, reason) {
    if (cause === "wrong_rate" || cause === "refused") {
      notify("sound", "error", `The server refused this page's sound: ${reason || cause}.`);
    }
  },
});

const browserEvents = new BrowserEvents({
  prepare: () => session.ensure(),
  camera: () => source?.label,
});

const sender = new FrameSender(video, socket, (captureTime, bytes) => {
  source?.flowing(true);
  speed.frameSent(captureTime, bytes);
});

const CONNECTIONS = {
  idle: "Not connected",
  connecting: "Connecting",
  open: "Connected",
  waiting: "Reconnecting",
  closed: "Not connected",
};

function showConnection() {
  // The worse of the two: as long as one of them is away, the page is not fully connected.
  const order = ["waiting", "connecting", "open"];
  const states = [events.state, socket.state];
  const worst = order.find((one) => states.includes(one)) ?? "idle";
  connection.dataset.state = worst;
  if (worst === "waiting") askHealth();
  const text = CONNECTIONS[worst];
  if (connection.textContent !== text) connection.textContent = text;
}

function showState() {
  const running = state === "running" || state === "starting";
  const open = state !== "none";
  toggle.textContent = running ? "Stop" : open ? "Continue" : "Start";
  end.setAttribute("aria-disabled", String(!open));
  document.getElementById("stage-hint").hidden = running;
  lockSetup({ session: open, source: running });
}

const SOUNDS = {
  connecting: "Sound: connecting",
  open: "Sound is sent",
  waiting: "Sound is kept until the server is back",
};

/** Whether sound goes out, and if not, why. */
function showSound() {
  const text = muted && sound ? "Muted: no sound is sent" : (SOUNDS[soundSender.state] ?? "No sound is sent");
  document.getElementById("sound-state").textContent = state === "running" ? text : "";
  mute.setAttribute("aria-disabled", String(!sound));
  mute.setAttribute("aria-pressed", String(muted));
  mute.textContent = muted ? "Unmute" : "Mute";
}

/** Opens the sound that belongs to the source; without any, pictures alone are sent. */
async function startSound(setup) {
  const from = source;
  const add = (samples, captureTime) => {
    if (!muted) soundSender.add(samples, captureTime);
  };
  let opened = null;
  if (setup.source === "recording") {
    const { samples, reason } = await readSound(setup.file);
    if (samples) opened = playSound(samples, video, from.opened, add);
    else notify("sound", "info", `No sound is sent: ${reason}.`);
  } else if (from.soundTrack) {
    try {
      opened = await listen(from.soundTrack, from.captureTime, add);
    } catch (error) {
      notify("sound", "warning", `No sound is sent: this browser gives none at 16 kHz (${error.message}).`);
    }
  } else if (setup.microphone !== null) {
    notify("sound", "warning", "No sound is sent: there is no microphone, or it was not allowed.");
  }
  if (source !== from) {
    opened?.close(); // stopped in the meantime
    return;
  }
  sound = opened;
  if (sound && !muted) soundSender.start();
  showSound();
}

function toggleMute() {
  if (!sound) return;
  muted = !muted;
  if (muted) {
    soundSender.stop();
    heard.clear();
  } else {
    soundSender.start();
  }
  showSound();
}

function showMirror() {
  overlay.options.mirrored = mirror.checked;
  stage.toggleAttribute("data-mirrored", mirror.checked);
  overlay.refresh();
}

async function start() {
  const setup = readSetup();
  if (!setup) return;
  if (setup.source === "recording" && !setup.file) {
    askForFile();
    notify("source", "info", "Choose a video file first.");
    return;
  }
  dismiss("source", "session", "frames", "sound");
  const begins = state === "none";
  state = "starting";
  showState();
  try {
    source =
      setup.source === "camera"
        ? await openCamera(video, { deviceId: setup.deviceId, microphone: setup.microphone, onLost: cameraLost })
        : await openRecording(video, setup.file, { onEnd: recordingEnded });
  } catch (error) {
    state = begins ? "none" : "stopped";
    showState();
    notify("source", "error", error.message);
    return;
  }
  mirror.checked = source.mirror;
  showMirror();
  void showDevices();
  if (begins) {
    incidents.clear();
    guide.clear();
    transcript.clear();
    events.reset();
    session.wanted = setup.session;
    overlay.options.takenMirrored = setup.session.mirrored;
  }
  state = "running";
  showState();
  openSetup(false);
  speed.start();
  guide.start(session.wanted.session_id);
  events.start();
  socket.start();
  browserEvents.start();
  if (setup.source === "recording") {
    await startSound(setup); // its sound is read first, so that none comes late
    if (!source) return;
  } else {
    void startSound(setup);
  }
  sender.start(source);
}

/** Sends no more; the session stays open on the server for a while. */
function stop() {
  if (state !== "running") return;
  sender.stop();
  socket.stop();
  browserEvents.stop();
  soundSender.stop();
  sound?.close();
  sound = null;
  heard.clear();
  speed.stop();
  guide.stop();
  source.close();
  source = null;
  overlay.clear();
  readings.clear();
  seen.clear();
  state = "stopped";
  showState();
  showSound();
}

async function endNow() {
  if (state === "none" || state === "starting") return;
  stop();
  try {
    await session.end();
  } catch (error) {
    notify("session", "error", `The session could not be ended: ${error.message}.`);
    return;
  }
  ended("The session has ended.");
  toggle.focus();
}

function endedByServer() {
  if (state !== "none") ended("The session has ended on the server.");
}

function ended(message) {
  stop();
  events.stop();
  session.forget();
  state = "none";
  renewSessionId();
  showState();
  openSetup(true);
  notify("session", "info", message);
}

function cameraLost() {
  stop();
  notify("source", "error", "The camera is gone: it was unplugged, or taken away from this page.");
}

async function recordingEnded() {
  await restOfTheSound();
  stop();
  await endNow();
  notify("session", "info", "The recording has been played to its end; the session has ended.");
}

/** What is left of a recording's sound goes out before its session ends, if the network is there. */
async function restOfTheSound() {
  sound?.finish();
  for (let tries = 0; tries < 20 && sound && !soundSender.isEmpty; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function videoRefused(cause, reason) {
  if (cause === "ended") {
    endedByServer();
    return;
  }
  stop();
  if (cause === "replaced") {
    notify("session", "warning", "Another page or program now sends this session's pictures.", {
      label: "Take over",
      run: () => void start(),
    });
    return;
  }
  notify("session", "error", `The server refused this page's pictures: ${reason || cause}.`);
}

const TROUBLES = {
  locked: ["info", "This server asks for an access token: enter it under Session."],
  refused: ["error", "The server does not take this page's access token"],
  gone: ["error", "The server does not answer. This page keeps trying."],
  starting: ["info", "The server is getting ready"],
  degraded: ["warning", "The server works with limits"],
  failed: ["error", "The server cannot analyse"],
  stopping: ["warning", "The server is stopping"],
};

let serverStatus = null;

function serverChanged(status, detail) {
  const before = serverStatus;
  serverStatus = status;
  if (status === "locked" || status === "refused") askForToken();
  if (status in TROUBLES) {
    const [kind, text] = TROUBLES[status];
    notify("server", kind, detail ? `${text}: ${detail}` : text);
  } else {
    dismiss("server");
  }
  if (status === before || !(status === "ok" || status === "degraded")) return;
  events.hurry();
  socket.hurry();
  soundSender.hurry();
  void showPolicies().catch((error) => {
    notify("policies", "warning", `The list of policies cannot be read: ${error.message}.`);
  });
}

toggle.addEventListener("click", () => {
  if (state === "running") stop();
  else if (state !== "starting") void start();
});
end.addEventListener("click", () => void endNow());
mute.addEventListener("click", toggleMute);
mirror.addEventListener("change", showMirror);
for (const [id, option] of [
  ["show-mesh", "mesh"],
  ["show-pose", "pose"],
  ["show-boxes", "boxes"],
]) {
  document.getElementById(id).addEventListener("change", ({ target }) => {
    overlay.options[option] = target.checked;
    overlay.refresh();
  });
}
video.addEventListener("resize", () => {
  if (video.videoWidth) stage.style.aspectRatio = `${video.videoWidth} / ${video.videoHeight}`;
});
navigator.mediaDevices?.addEventListener("devicechange", () => void showDevices());

takeTokenFromAddress();
document.getElementById("token").addEventListener("change", ({ target }) => {
  setToken(target.value);
  target.value = "";
  askHealth();
});
prepareSetup(() => {
  if (state === "none" || state === "stopped") void start();
});
showMirror();
showState();
const askHealth = watchHealth(serverChanged);
const reason = whyNoCamera();
if (reason) notify("source", "warning", reason);
