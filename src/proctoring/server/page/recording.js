import { isPlayRefused, orCancelled } from "./waiting.js";

/** A video file as a source of pictures, with its own media times. */

/** @import { Waiting } from "./waiting.js" */

/** Milliseconds after which a file on this machine should have given its first picture. */
const LOAD_MS = 5000;

/** A file that this browser cannot play. */
export class RecordingError extends Error {}

/**
 * Opens a video file, to be played once from its beginning in `video`.
 *
 * @param {HTMLVideoElement} video
 * @param {File} file stays on this machine; only its frames are sent
 * @param {object} options
 * @param {Waiting} options.waiting
 * @param {() => void} options.onEnd  it has been played
 * @param {(play: () => void) => void} options.onRefused  the browser wants a click before it plays
 * @returns {Promise<import("./camera.js").Source & {opened: number}>} capture times are the moment of opening plus media
 *   time. It plays only while its pictures go out, from the very first on: nothing of it is lost, and the
 *   session's media times are the recording's own.
 * @throws {RecordingError}
 * @throws {import("./waiting.js").Cancelled}
 */
export async function openRecording(video, file, { waiting, onEnd, onRefused }) {
  const url = URL.createObjectURL(file);
  const opened = (performance.timeOrigin + performance.now()) * 1000;
  const close = () => {
    video.removeEventListener("ended", onEnd);
    video.removeAttribute("src");
    video.load();
    URL.revokeObjectURL(url);
  };
  video.srcObject = null;
  const loaded = new Promise((resolve, reject) => {
    video.onloadeddata = resolve;
    video.onerror = reject;
  });
  video.src = url;
  const { signal, onWait } = waiting;
  onWait({ text: "Opening the file" });
  const slow = setTimeout(() => {
    onWait({ text: "The file has given no picture yet. This page keeps waiting.", trouble: true });
  }, LOAD_MS);
  try {
    await orCancelled(loaded, signal);
  } catch (error) {
    close();
    if (signal.aborted) throw error;
    throw new RecordingError(
      `This browser cannot play ${file.name || "this file"}. Try MP4 (H.264) or WebM, or analyse it ` +
        "on the server with: proctoring analyse FILE",
    );
  } finally {
    clearTimeout(slow);
    video.onloadeddata = null;
    video.onerror = null;
  }
  if (!video.videoWidth) {
    close();
    throw new RecordingError(`${file.name || "This file"} has no picture.`);
  }
  video.addEventListener("ended", onEnd);
  const play = () => {
    video.play().catch((error) => {
      // Otherwise `close` or `pause` came in between.
      if (isPlayRefused(error)) onRefused(play);
    });
  };
  return {
    mirror: false,
    label: file.name,
    opened,
    soundTrack: null,
    captureTime: () => opened + video.currentTime * 1e6,
    hasPicture: () => true,
    flowing(isFlowing) {
      if (!isFlowing) video.pause();
      else if (video.paused && !video.ended) play();
    },
    close,
  };
}
