import { microphoneConstraints } from "./microphone.js";
import { Cancelled, orCancelled, playVideo } from "./waiting.js";

/** The camera as a source of pictures, and of sound if there is a microphone. */

/** @import { Waiting } from "./waiting.js" */

/** Why there is no camera, in words for the person in front of it. */
export class CameraError extends Error {}

/**
 * Where pictures come from.
 *
 * @typedef {object} Source
 * @property {boolean} mirror  whether people expect to see it as in a mirror
 * @property {string} label  name of the camera or file
 * @property {number | null} opened  capture time of a recording's beginning, in microseconds since 1970; null for a camera
 * @property {MediaStreamTrack | null} soundTrack  null without a microphone
 * @property {() => number} captureTime  of the picture shown now, in microseconds since 1970
 * @property {() => boolean} hasPicture  false while the camera is open and gives none
 * @property {(isFlowing: boolean) => void} flowing  called when its pictures begin or cease to go out
 * @property {() => void} close
 */

/** What is asked of the camera. The server analyses 640 x 480; larger pictures would be scaled down before sending. */
const PICTURES = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } };

/** By name of the DOMException of `getUserMedia`. @type {Record<string, string | undefined>} */
const EXPLANATIONS = {
  NotAllowedError:
    "The camera was refused. Allow it for this page in the browser's address bar (and in the " +
    "system's privacy settings), then start again.",
  NotFoundError: "No camera was found. Connect one, or choose a video file as the source.",
  NotReadableError:
    "The camera is in use by another program, or it does not answer. Close the other program, then start again.",
  OverconstrainedError: "The chosen camera is not there any more. Choose another one.",
  AbortError: "The camera stopped while it was being opened. Start again.",
};

const INSECURE =
  "The browser gives the camera only to secure pages. Open this page over https, or on the server " +
  "itself as http://localhost. A video file works here, too.";

/** Why this page cannot ask for a camera at all, or null. */
export function whyNoCamera() {
  if (!window.isSecureContext) return INSECURE;
  if (!navigator.mediaDevices?.getUserMedia) return "This browser cannot open a camera.";
  return null;
}

/** The cameras at hand; their labels are empty until the camera was allowed once. */
export async function listCameras() {
  const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return devices.filter((device) => device.kind === "videoinput" && device.deviceId);
}

/** Seconds after which a camera that is allowed should have answered, and when the camera alone is asked. */
const ANSWER_SECONDS = 4;
const ALONE_SECONDS = 3;

const OPENING = "Opening the camera";
const ASKING = "The browser asks whether this page may use the camera and the microphone: allow it to go on.";
const NO_ANSWER =
  "The camera does not answer. Close other programs that use it, or unplug it and plug it in again. " +
  "This page keeps waiting.";
const NO_ANSWER_OR_ASKING =
  "The camera has not answered yet. If the browser asks whether this page may use it, allow it; " +
  "otherwise close other programs that use it. This page keeps waiting.";
const NO_PICTURE =
  "The camera is open but gives no picture. Open its cover, switch off its privacy switch, and close " +
  "other programs that use it. This page keeps waiting.";

/**
 * Whether the browser still has to ask the person; browsers that do not tell are `unknown`.
 *
 * @returns {Promise<"prompt" | "decided" | "unknown">}
 */
async function permission() {
  try {
    const names = /** @type {PermissionName[]} */ (["camera", "microphone"]);
    const answers = await Promise.all(names.map((name) => navigator.permissions.query({ name })));
    return answers.some(({ state }) => state === "prompt") ? "prompt" : "decided";
  } catch {
    return "unknown";
  }
}

/**
 * Camera and, if it is wanted and there is one, microphone, in one question to the person. A browser
 * may never answer it, for want of an answer from the person or from the device.
 *
 * @param {MediaTrackConstraints} video
 * @param {MediaTrackConstraints | null} audio
 * @param {Waiting} waiting
 * @returns {Promise<MediaStream>}
 */
function askFor(video, audio, { signal, onWait }) {
  onWait({ text: OPENING });
  /** @type {MediaStream | null} */
  let taken = null;
  /** @param {MediaStreamConstraints} wanted */
  const ask = async (wanted) => {
    const stream = await navigator.mediaDevices.getUserMedia(wanted);
    // Answered too late: given up, or the camera alone was quicker.
    if (signal.aborted || taken) stopTracks(stream);
    taken ??= stream;
    return taken;
  };
  const alone = () => ask({ audio: false, video });
  // Without sound the pictures are still worth having; what is wrong with the camera shows then.
  const both = audio ? ask({ audio, video }).catch(alone) : alone();
  return new Promise((resolve, reject) => {
    let seconds = 0;
    const timer = setInterval(() => {
      void permission().then((state) => {
        if (taken || signal.aborted) return;
        if (state === "prompt") {
          seconds = 0;
          onWait({ text: ASKING });
          return;
        }
        seconds += 1;
        // Which of the two does not answer shows when the camera alone is asked for.
        if (audio && state === "decided" && seconds === ALONE_SECONDS) alone().then(resolve, () => {});
        if (seconds === ANSWER_SECONDS) {
          onWait({ text: state === "unknown" ? NO_ANSWER_OR_ASKING : NO_ANSWER, trouble: true });
        }
      });
    }, 1000);
    orCancelled(both, signal)
      .then(resolve, reject)
      .finally(() => clearInterval(timer));
    signal.addEventListener("abort", () => clearInterval(timer), { once: true });
  });
}

/** @param {MediaStream} stream */
function stopTracks(stream) {
  for (const track of stream.getTracks()) track.stop();
}

/**
 * Opens a camera and plays it in `video`.
 *
 * @param {HTMLVideoElement} video
 * @param {object} options
 * @param {string} [options.deviceId]  the camera's, "" for any
 * @param {string | null} [options.microphone]  the microphone's id, "" for any; null for none
 * @param {Waiting} options.waiting
 * @param {() => void} options.onLost  unplugged or taken away
 * @param {(hasPicture: boolean) => void} options.onPicture  it gives no picture any more, or gives one again
 * @returns {Promise<Source>}
 * @throws {CameraError}
 * @throws {Cancelled}
 */
export async function openCamera(video, { deviceId, microphone = null, waiting, onLost, onPicture }) {
  const reason = whyNoCamera();
  if (reason) throw new CameraError(reason);
  const pictures = {
    ...(deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "user" }),
    ...PICTURES,
  };
  const opened = await askFor(pictures, microphone === null ? null : microphoneConstraints(microphone), waiting).catch(
    (error) => {
      if (error instanceof Cancelled) throw error;
      throw new CameraError(EXPLANATIONS[error.name] ?? `The camera cannot be opened: ${error.message}`);
    },
  );
  try {
    video.srcObject = opened;
    await playVideo(video, NO_PICTURE, waiting);
  } catch (error) {
    stopTracks(opened);
    video.srcObject = null;
    if (error instanceof Cancelled) throw error;
    const { message } = /** @type {DOMException} */ (error);
    throw new CameraError(`The browser does not play the camera's picture: ${message}`);
  }
  const track = /** @type {MediaStreamTrack} */ (opened.getVideoTracks()[0]);
  const listening = new AbortController();
  const { signal } = listening;
  track.addEventListener("ended", onLost, { signal });
  track.addEventListener("mute", () => onPicture(false), { signal });
  track.addEventListener("unmute", () => onPicture(true), { signal });
  return {
    mirror: track.getSettings().facingMode !== "environment",
    label: track.label,
    opened: null,
    soundTrack: opened.getAudioTracks()[0] ?? null,
    // Not Date.now(): this clock never jumps while the page is open.
    captureTime: () => (performance.timeOrigin + performance.now()) * 1000,
    // The last picture, sent again and again, would look like a frozen camera.
    hasPicture: () => !track.muted,
    // A camera does not wait.
    flowing() {},
    close() {
      listening.abort();
      stopTracks(opened);
      video.srcObject = null;
    },
  };
}
