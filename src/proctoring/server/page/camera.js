import { microphoneConstraints } from "./microphone.js";

/** The camera as a source of pictures, and of sound if there is a microphone. */

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

/**
 * Camera and, if it is wanted and there is one, microphone, in one question to the person.
 *
 * @param {MediaTrackConstraints} video
 * @param {MediaTrackConstraints | null} audio
 */
async function askFor(video, audio) {
  if (audio) {
    try {
      return await navigator.mediaDevices.getUserMedia({ audio, video });
    } catch {
      // Without sound the pictures are still worth having; what is wrong with the camera shows now.
    }
  }
  return navigator.mediaDevices.getUserMedia({ audio: false, video });
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
 * @param {() => void} options.onLost  unplugged or taken away
 * @returns {Promise<Source>}
 * @throws {CameraError}
 */
export async function openCamera(video, { deviceId, microphone = null, onLost }) {
  const reason = whyNoCamera();
  if (reason) throw new CameraError(reason);
  /** @type {MediaStream | null} */
  let stream = null;
  try {
    const pictures = {
      ...(deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "user" }),
      ...PICTURES,
    };
    stream = await askFor(pictures, microphone === null ? null : microphoneConstraints(microphone));
    video.srcObject = stream;
    await video.play();
  } catch (error) {
    if (stream) stopTracks(stream);
    const { name, message } = /** @type {DOMException} */ (error);
    throw new CameraError(EXPLANATIONS[name] ?? `The camera cannot be opened: ${message}`);
  }
  const opened = stream;
  const track = /** @type {MediaStreamTrack} */ (opened.getVideoTracks()[0]);
  track.addEventListener("ended", onLost);
  return {
    mirror: track.getSettings().facingMode !== "environment",
    label: track.label,
    opened: null,
    soundTrack: opened.getAudioTracks()[0] ?? null,
    // Not Date.now(): this clock never jumps while the page is open.
    captureTime: () => (performance.timeOrigin + performance.now()) * 1000,
    // A camera does not wait.
    flowing() {},
    close() {
      track.removeEventListener("ended", onLost);
      stopTracks(opened);
      video.srcObject = null;
    },
  };
}
