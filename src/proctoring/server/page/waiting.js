/** Waiting for what a browser may leave unanswered: the person is told, and may give up. */

/**
 * What is waited for, in words for the person.
 *
 * @typedef {object} Wait
 * @property {string} text
 * @property {boolean} [trouble]  it takes longer than it should
 * @property {{label: string, run: () => void}} [action]  what the person can do about it
 */

/**
 * How something is waited for.
 *
 * @typedef {{signal: AbortSignal, onWait: (wait: Wait) => void}} Waiting
 */

/** Milliseconds after which a picture should be there. */
const PLAY_MS = 4000;

/** The person gave up. */
export class Cancelled extends Error {}

/**
 * The promise, or `Cancelled` as soon as the signal says so.
 *
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal} signal
 * @returns {Promise<T>}
 */
export function orCancelled(promise, signal) {
  return new Promise((resolve, reject) => {
    const cancel = () => reject(new Cancelled("given up"));
    if (signal.aborted) cancel();
    signal.addEventListener("abort", cancel, { once: true });
    promise.then(resolve, reject);
  });
}

/**
 * Plays a video, however the browser's `play()` answers: not at all, late, or with a refusal until the
 * person has clicked.
 *
 * @param {HTMLVideoElement} video
 * @param {string} late  what to say where no picture comes
 * @param {Waiting} waiting
 */
export async function playVideo(video, late, { signal, onWait }) {
  const slow = setTimeout(() => onWait({ text: late, trouble: true }), PLAY_MS);
  // Pictures are what counts; the promise of `play()` may stay open all the same.
  const moving = new Promise((resolve) => {
    video.addEventListener("timeupdate", resolve, { once: true, signal });
  });
  const refused = () => {
    clearTimeout(slow);
    return new Promise((resolve, reject) => {
      onWait({
        text: "The browser does not play video on this page before you allow it by a click.",
        trouble: true,
        action: { label: "Play the video", run: () => void video.play().then(resolve, reject) },
      });
    });
  };
  const played = video.play().catch((error) => {
    if (isPlayRefused(error)) return refused();
    throw error;
  });
  try {
    await orCancelled(Promise.race([played, moving]), signal);
  } finally {
    clearTimeout(slow);
  }
}

/**
 * Whether the browser wants a click before it plays anything.
 *
 * @param {unknown} error
 */
export const isPlayRefused = (error) => error instanceof DOMException && error.name === "NotAllowedError";
