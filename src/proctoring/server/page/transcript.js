import { formatOffset } from "./incidents.js";

/** What was said, where the session's policy has it told. */

/** Older lines leave the page. */
const MOST_SHOWN = 200;

const box = document.getElementById("transcript");
const list = document.getElementById("transcript-lines");
const trouble = document.getElementById("transcript-trouble");

export class Transcript {
  #unfinished = null;

  /** Takes one message of the events socket. */
  receive({ transcript, transcription }) {
    if (transcription) {
      box.hidden = false;
      trouble.textContent = transcription.available ? "" : transcription.reason;
    }
    if (transcript) this.#add(transcript);
  }

  clear() {
    box.hidden = true;
    this.#unfinished = null;
    list.replaceChildren();
    trouble.textContent = "";
  }

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
    while (list.children.length > MOST_SHOWN) list.firstElementChild.remove();
    list.scrollTop = list.scrollHeight;
  }
}
