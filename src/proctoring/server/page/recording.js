/** A video file as a source of pictures, with its own media times. */

/** A file that this browser cannot play. */
export class RecordingError extends Error {}

/**
 * Opens a video file, to be played once from its beginning in `video`.
 *
 * @param {HTMLVideoElement} video
 * @param {File} file stays on this machine; only its frames are sent
 * @param {{onEnd: () => void}} options
 * @returns {Promise<import("./camera.js").Source & {opened: number}>} capture times are the moment of opening plus media
 *   time. It plays only while its pictures go out, from the very first on: nothing of it is lost, and the
 *   session's media times are the recording's own.
 * @throws {RecordingError}
 */
export async function openRecording(video, file, { onEnd }) {
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
  try {
    await loaded;
  } catch {
    close();
    throw new RecordingError(
      `This browser cannot play ${file.name || "this file"}. Try MP4 (H.264) or WebM, or analyse it ` +
        "on the server with: proctoring analyse FILE",
    );
  } finally {
    video.onloadeddata = null;
    video.onerror = null;
  }
  if (!video.videoWidth) {
    close();
    throw new RecordingError(`${file.name || "This file"} has no picture.`);
  }
  video.addEventListener("ended", onEnd);
  return {
    mirror: false,
    label: file.name,
    opened,
    soundTrack: null,
    captureTime: () => opened + video.currentTime * 1e6,
    flowing(isFlowing) {
      if (!isFlowing) video.pause();
      // Refused only when `close` or `pause` came in between.
      else if (video.paused && !video.ended) video.play().catch(() => {});
    },
    close,
  };
}
