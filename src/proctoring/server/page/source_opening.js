import { openCamera } from "./camera.js";
import { element } from "./element.js";
import { dismiss, notify } from "./notices.js";
import { openRecording } from "./recording.js";

/** Opening the chosen source: says what is waited for, and can be given up. */

/**
 * @import { Source } from "./camera.js"
 * @import { Setup } from "./setup.js"
 * @import { Wait } from "./waiting.js"
 */

const NO_PICTURE = "The camera gives no picture now. Open its cover and close other programs that use it.";

const hint = element("stage-hint");

/** @param {Wait} wait */
function showWait({ text, trouble, action }) {
  hint.textContent = text;
  if (trouble) notify("source", "warning", text, action);
}

/** @param {() => void} play */
function playRefused(play) {
  notify("source", "warning", "The browser does not play the file before you allow it by a click.", {
    label: "Play the video",
    run: play,
  });
}

export class SourceOpening {
  #video;
  #options;
  #givingUp = new AbortController();

  /**
   * @param {HTMLVideoElement} video
   * @param {object} options
   * @param {() => void} options.onLost  the camera was unplugged or taken away
   * @param {() => void} options.onDark  the camera is open and gives no picture any more
   * @param {() => void} options.onEnd  the recording has been played
   */
  constructor(video, options) {
    this.#video = video;
    this.#options = options;
  }

  /**
   * @param {Setup} setup
   * @returns {Promise<Source>}
   * @throws {import("./waiting.js").Cancelled}
   */
  open({ source: kind, file, deviceId, microphone }) {
    this.#givingUp = new AbortController();
    const waiting = { signal: this.#givingUp.signal, onWait: showWait };
    const { onLost, onEnd } = this.#options;
    return kind === "recording" && file
      ? openRecording(this.#video, file, { waiting, onEnd, onRefused: playRefused })
      : openCamera(this.#video, {
          deviceId,
          microphone,
          waiting,
          onLost,
          onPicture: (hasPicture) => this.#picture(hasPicture),
        });
  }

  giveUp() {
    this.#givingUp.abort();
  }

  /** @param {boolean} hasPicture */
  #picture(hasPicture) {
    if (hasPicture) {
      dismiss("source");
      return;
    }
    notify("source", "warning", NO_PICTURE);
    this.#options.onDark();
  }
}
