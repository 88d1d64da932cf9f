import { Answers } from "./answers.js";
import { ApiError } from "./api.js";
import { AudioControl } from "./audio_control.js";
import { BrowserEvents } from "./browser_events.js";
import { whyNoCamera } from "./camera.js";
import { closeConfirmEnd, confirmEnd } from "./confirm_end.js";
import { sayAnswering, sayRefused, showConnection } from "./connection.js";
import { showControls } from "./controls.js";
import { element } from "./element.js";
import { EventsSocket } from "./events_socket.js";
import { FrameSender } from "./frame_sender.js";
import { Guide } from "./guide.js";
import { watchHealth } from "./health.js";
import { Incidents } from "./incidents.js";
import { forgetSession, keepSession, keptSession } from "./kept_session.js";
import { dismissMediaProblems, showMediaProblems } from "./media_problems.js";
import { dismiss, notify, reasonOf } from "./notices.js";
import { Overlay } from "./overlay.js";
import { covers } from "./permitted.js";
import { Readings } from "./readings.js";
import { stoppedOpened } from "./reconnecting_socket.js";
import { Seen } from "./seen.js";
import { statusReporter } from "./server_status.js";
import { Session } from "./session.js";
import { askForFile, openSetup, prepareSetup, readSetup, renewSessionId, showDevices, showSession } from "./setup.js";
import { SourceOpening } from "./source_opening.js";
import { Speed } from "./speed.js";
import { setToken, takeTokenFromAddress } from "./token.js";
import { Transcript } from "./transcript.js";
import { VideoSocket } from "./video_socket.js";
import { Cancelled } from "./waiting.js";

/*
 * One page, one session at a time:
 *
 *   none --start--> running --stop--> stopped --start--> running ...
 *                      |                 |  ^
 *                      +------end--------+  +-- the page is loaded again
 *                               |
 *                               +----> none
 */

/**
 * @import { ServerError } from "./api.js"
 * @import { Source } from "./camera.js"
 * @import { PageState } from "./controls.js"
 */

/** Milliseconds that ending waits for connections that were being opened; opened later, they would begin it anew. */
const STOPPED_OPENED_MS = 5000;

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

/** @type {PageState} */
let state = "none";
/** @type {Source | null} */
let source = null;
/** The session that this tab had before the page was loaded again; null once it goes on. */
let kept = keptSession();

const answers = new Answers((answering) => {
  if (answering !== "answered") guide.pause(answering);
  else if (isDark()) guide.pause("dark");
  sayAnswering(answering);
  updateConnection();
});

const opening = new SourceOpening(video, {
  onLost: cameraLost,
  onDark: () => guide.pause("dark"),
  onEnd: () => void recordingEnded(),
});

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
    if (state === "running") showMediaProblems(event);
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
    answers.answered();
    if (source?.hasPicture()) guide.resume();
    const whole = seen.add(observation);
    guide.seen(whole.faces?.length ?? null);
    overlay.show(whole);
    readings.show(whole);
    speed.observed(observation);
    incidents.advance(observation.time);
  },
  onFrameError({ detail }) {
    answers.answered();
    notify("frames", "warning", `The server could not use a picture: ${detail}`);
  },
  onState(socketState) {
    if (socketState !== "open") {
      source?.flowing(false);
      if (state === "running") answers.sent();
    } else if (isDark()) {
      answers.answered(); // no picture goes out whose observation would say so
    }
    updateConnection();
  },
  onFinal: videoRefused,
  onFailure: (error) => void notConnected(error),
});

const audio = new AudioControl({ prepare: () => session.ensure() });

const browserEvents = new BrowserEvents({
  prepare: () => session.ensure(),
  camera: () => source?.label,
});

const sender = new FrameSender(video, socket, (captureTime, bytes) => {
  source?.flowing(true);
  answers.sent();
  speed.frameSent(captureTime, bytes);
});

/** Whether the camera is open and gives no picture. */
function isDark() {
  return source !== null && !source.hasPicture();
}

function updateConnection() {
  if (showConnection([events.state, socket.state], answers.state) === "waiting") askHealth();
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
  showControls(state);
  try {
    source = await opening.open(setup);
  } catch (error) {
    state = begins ? "none" : "stopped";
    showControls(state);
    if (error instanceof Cancelled) dismiss("source");
    else notify("source", "error", reasonOf(error));
    return;
  }
  dismiss("source");
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
  showControls(state);
  openSetup(false);
  if (session.wanted) keepSession({ session: session.wanted, source: setup.source, running: true });
  answers.start();
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

/** Sends no more; the session stays open on the server for a while. */
function stop() {
  if (state !== "running") return;
  state = "stopped";
  if (session.wanted) keepSession({ session: session.wanted, source: "camera", running: false });
  answers.stop();
  sayAnswering(answers.state);
  sender.stop();
  socket.stop();
  browserEvents.stop();
  audio.stop();
  speed.stop();
  guide.stop();
  dismissMediaProblems();
  source?.close();
  source = null;
  overlay.clear();
  readings.clear();
  seen.clear();
  showControls(state);
}

async function askToEnd() {
  if (state === "none" || state === "starting") return;
  if (await confirmEnd()) await endNow();
  else end.focus();
}

async function endNow() {
  if (state === "none" || state === "starting") return;
  stop();
  if (events.state !== "open") events.stop();
  notify("session", "info", "The session is being ended.");
  try {
    await stoppedOpened(STOPPED_OPENED_MS);
    await session.end();
  } catch (error) {
    events.start();
    notify("session", "error", `The session has not been ended: ${reasonOf(error)}. It stays open; nothing is sent.`, {
      label: "Try again",
      run: () => void endNow(),
    });
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
  closeConfirmEnd();
  events.stop();
  session.forget();
  forgetSession();
  guide.clear();
  state = "none";
  renewSessionId();
  showControls(state);
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

/**
 * The video socket was not opened: the server answers and refuses it, or does not answer.
 *
 * @param {unknown} error  null where the browser does not tell
 */
async function notConnected(error) {
  const why = error === null ? await session.whyRefused() : error instanceof ApiError && error.status ? error : null;
  if (state !== "running" || socket.state === "open") return;
  if (!why) {
    answers.unanswered();
    return;
  }
  answers.refused();
  sayRefused(why);
  askHealth();
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

/** The page was loaded again while it had a session: goes on with it, at once if it was running. */
function goOn() {
  if (!kept || state !== "none") return;
  const { session: wanted, source: kind, running } = kept;
  kept = null;
  const named = new URLSearchParams(location.search).get("session");
  if (named !== null && named !== wanted.session_id) return;
  if (!covers(wanted.session_id)) {
    // The tab has been given a token for another session since.
    forgetSession();
    return;
  }
  showSession(wanted);
  session.resume(wanted);
  overlay.options.takenMirrored = wanted.mirrored ?? false;
  state = "stopped";
  showControls(state);
  guide.pause("stopped");
  events.start();
  if (running && kind === "camera" && !whyNoCamera()) void start();
  else notify("session", "info", `Session ${wanted.session_id} is still open: continue it, or end it.`);
}

function serverReady() {
  goOn();
  events.hurry();
  socket.hurry();
  audio.hurry();
}

toggle.addEventListener("click", () => {
  if (state === "running") stop();
  else if (state === "starting") opening.giveUp();
  else void start();
});
end.addEventListener("click", () => void askToEnd());
mirror.addEventListener("change", showMirror);
for (const [id, option] of DRAWN) {
  const box = element(id, HTMLInputElement);
  box.addEventListener("change", () => {
    overlay.options[option] = box.checked;
    overlay.refresh();
  });
}
window.addEventListener("online", serverReady);
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
showControls(state);
const askHealth = watchHealth(
  statusReporter(serverReady, () => answers.state === "silent" || answers.state === "offline"),
);
window.addEventListener("offline", askHealth);
const reason = whyNoCamera();
if (reason) notify("source", "warning", reason);
