import { AudioControl } from "./audio_control.js";
import { BrowserEvents } from "./browser_events.js";
import { openCamera, whyNoCamera } from "./camera.js";
import { showConnection } from "./connection.js";
import { element } from "./element.js";
import { EventsSocket } from "./events_socket.js";
import { FrameSender } from "./frame_sender.js";
import { Guide } from "./guide.js";
import { watchHealth } from "./health.js";
import { Incidents } from "./incidents.js";
import { dismiss, notify, reasonOf } from "./notices.js";
import { Overlay } from "./overlay.js";
import { Readings } from "./readings.js";
import { openRecording } from "./recording.js";
import { Seen } from "./seen.js";
import { statusReporter } from "./server_status.js";
import { Session } from "./session.js";
import { askForFile, lockSetup, openSetup, prepareSetup, readSetup, renewSessionId, showDevices } from "./setup.js";
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

/**
 * @import { ServerError } from "./api.js"
 * @import { Source } from "./camera.js"
 * @import { Setup } from "./setup.js"
 */

const video = element("video", HTMLVideoElement);
const stage = element("stage");
const toggle = element("toggle", HTMLButtonElement);
const end = element("end", HTMLButtonElement);
const mirror = element("mirror", HTMLInputElement);
const token = element("token", HTMLInputElement);

/** What may be drawn over the picture: the checkbox and the overlay's option. */
const DRAWN = /** @type {const} */ ([
  ["show-mesh", "mesh"],
  ["show-pose", "pose"],
  ["show-boxes", "boxes"],
]);

/** @type {"none" | "starting" | "running" | "stopped"} */
let state = "none";
/** @type {Source | null} */
let source = null;

const overlay = new Overlay(element("overlay", HTMLCanvasElement));
const readings = new Readings();
const incidents = new Incidents();
const speed = new Speed();
const seen = new Seen();
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
  onState: updateConnection,
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
  onFrameError({ detail }) {
    notify("frames", "warning", `The server could not use a picture: ${detail}`);
  },
  onState(socketState) {
    if (socketState !== "open") source?.flowing(false);
    updateConnection();
  },
  onFinal: videoRefused,
});

const audio = new AudioControl({ prepare: () => session.ensure() });

const browserEvents = new BrowserEvents({
  prepare: () => session.ensure(),
  camera: () => source?.label,
});

const sender = new FrameSender(video, socket, (captureTime, bytes) => {
  source?.flowing(true);
  speed.frameSent(captureTime, bytes);
});

function updateConnection() {
  if (showConnection([events.state, socket.state]) === "waiting") askHealth();
}

function showState() {
  const running = state === "running" || state === "starting";
  const open = state !== "none";
  toggle.textContent = running ? "Stop" : open ? "Continue" : "Start";
  end.setAttribute("aria-disabled", String(!open));
  element("stage-hint").hidden = running;
  lockSetup({ session: open, source: running });
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
    source = await openSource(setup);
  } catch (error) {
    state = begins ? "none" : "stopped";
    showState();
    notify("source", "error", reasonOf(error));
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
    overlay.options.takenMirrored = setup.session.mirrored ?? false;
  }
  state = "running";
  showState();
  openSetup(false);
  speed.start();
  guide.start(setup.session.session_id);
  events.start();
  socket.start();
  browserEvents.start();
  const opened = source;
  const audioStarts = audio.start(setup, opened, video);
  // A recording's audio is read first, so that none comes late.
  if (setup.source === "recording") await audioStarts;
  if (source === opened) sender.start(opened);
}

/**
 * @param {Setup} setup
 * @returns {Promise<Source>}
 */
function openSource({ source: kind, file, deviceId, microphone }) {
  return kind === "recording" && file
    ? openRecording(video, file, { onEnd: () => void recordingEnded() })
    : openCamera(video, { deviceId, microphone, onLost: cameraLost });
}

/** Sends no more; the session stays open on the server for a while. */
function stop() {
  if (state !== "running") return;
  sender.stop();
  socket.stop();
  browserEvents.stop();
  audio.stop();
  speed.stop();
  guide.stop();
  source?.close();
  source = null;
  overlay.clear();
  readings.clear();
  seen.clear();
  state = "stopped";
  showState();
}

async function endNow() {
  if (state === "none" || state === "starting") return;
  stop();
  try {
    await session.end();
  } catch (error) {
    notify("session", "error", `The session could not be ended: ${reasonOf(error)}.`);
    return;
  }
  ended("The session has ended.");
  toggle.focus();
}

function endedByServer() {
  if (state !== "none") ended("The session has ended on the server.");
}

/** @param {string} message */
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
  await audio.finish();
  stop();
  await endNow();
  notify("session", "info", "The recording has been played to its end; the session has ended.");
}

/** @param {ServerError} error */
function videoRefused({ code, detail }) {
  if (code === "ended") {
    endedByServer();
    return;
  }
  stop();
  if (code === "replaced") {
    notify("session", "warning", "Another page or program now sends this session's pictures.", {
      label: "Take over",
      run: () => void start(),
    });
    return;
  }
  notify("session", "error", `The server refused this page's pictures: ${detail || code}.`);
}

function serverReady() {
  events.hurry();
  socket.hurry();
  audio.hurry();
}

toggle.addEventListener("click", () => {
  if (state === "running") stop();
  else if (state !== "starting") void start();
});
end.addEventListener("click", () => void endNow());
mirror.addEventListener("change", showMirror);
for (const [id, option] of DRAWN) {
  const box = element(id, HTMLInputElement);
  box.addEventListener("change", () => {
    overlay.options[option] = box.checked;
    overlay.refresh();
  });
}
video.addEventListener("resize", () => {
  if (video.videoWidth) stage.style.aspectRatio = `${video.videoWidth} / ${video.videoHeight}`;
});
navigator.mediaDevices?.addEventListener("devicechange", () => void showDevices());

takeTokenFromAddress();
token.addEventListener("change", () => {
  setToken(token.value);
  token.value = "";
  askHealth();
});
prepareSetup(() => {
  if (state === "none" || state === "stopped") void start();
});
showMirror();
showState();
const askHealth = watchHealth(statusReporter(serverReady));
const reason = whyNoCamera();
if (reason) notify("source", "warning", reason);
