import { element } from "./element.js";
import { formatOffset } from "./incidents.js";

/** What was said, where the session's policy has it told. */

/** Older lines leave the page. */
const MOST_SHOWN = 200;

/**
 * Words that were said.
 *
 * @typedef {object} TranscriptEntry
 * @property {string} text
 * @property {number} start  media time, seconds
 * @property {boolean} final  false: the next one of the same start replaces it
 */

/** Replayed where words were published that records may not keep. @typedef {{kept: false}} TranscriptNotKept */

const box = element("transcript");
const list = element("transcript-lines");
const trouble = element("transcript-trouble");

export class Transcript {
  /** @type {HTMLElement | null} */
  #unfinished = null;

  /**
   * Takes one message of the events socket.
   *
   * @param {{transcript?: TranscriptEntry | TranscriptNotKept, transcription?: {available: boolean, reason: string}}} event
   */
  receive({ transcript, transcription }) {
    if (transcription) {
      box.hidden = false;
      trouble.textContent = transcription.available ? "" : transcription.reason;
    }
    if (transcript && "text" in transcript) this.#add(transcript);
  }

  clear() {
    box.hidden = true;
    this.#unfinished = null;
    list.replaceChildren();
    trouble.textContent = "";
  }

  /** @param {TranscriptEntry} transcript */
  #add({ text, start, final }) {
    box.hidden = false;
    const line = this.#unfinished ?? document.createElement("li");
    const time = document.createElement("span");
    time.className = "muted";
    time.textContent = formatOffset(start);
    line.replaceChildren(time, ` ${text}`);
    line.dataset.final = String(final);
    if (!this.#unfinished) list.append(line);
    this.#unfinished = final ? null : line;
    while (list.children.length > MOST_SHOWN) list.firstElementChild?.remove();
    list.scrollTop = list.scrollHeight;
  }
}
