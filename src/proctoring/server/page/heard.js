import { element } from "./element.js";

/** What the server hears, in words. */

/**
 * What was heard in half a second.
 *
 * @typedef {object} AudioObservation
 * @property {number | null} speech  share of the stretch
 * @property {number | null} level  decibels below full scale
 * @property {{speakers: {number: number}[]} | null} diarization
 * @property {{what: string, reason: string}[]} not_read
 */

/** @param {string} name */
const field = (name) => element(`sound-${name}`);
const meter = element("sound-level", HTMLMeterElement);

/** Decibels below full scale at the left end of the meter. */
const QUIETEST = -60;

/** Share of the half second from which on the page says that somebody speaks. */
const SPEECH_SHARE = 0.3;

export class Heard {
  /** @type {Set<number>} */
  #voices = new Set();

  /** @param {AudioObservation} sound */
  show({ speech, level, diarization, not_read: notRead }) {
    const shown = Math.max(QUIETEST, level ?? QUIETEST);
    meter.value = shown;
    field("level-text").textContent = level === null ? "–" : `${Math.round(shown)} dB`;
    field("speech").textContent = speech === null ? "–" : speech >= SPEECH_SHARE ? "yes" : "no";
    for (const { number } of diarization?.speakers ?? []) this.#voices.add(number);
    if (diarization) field("voices").textContent = this.#describe(diarization);
    field("not-read").textContent = (notRead ?? []).map(({ what, reason }) => `${what}: ${reason}`).join("; ");
  }

  clear() {
    this.#voices.clear();
    meter.value = QUIETEST;
    for (const name of ["level-text", "speech", "voices"]) field(name).textContent = "–";
    field("not-read").textContent = "";
  }

  /**
   * How many voices so far, and whose is heard now; voice 1 is the candidate's.
   *
   * @param {{speakers: {number: number}[]}} diarization
   */
  #describe({ speakers }) {
    if (!this.#voices.size) return "none yet";
    const now = speakers.map(({ number }) => (number === 1 ? "the candidate's" : `voice ${number}`));
    return now.length ? `${this.#voices.size} (now ${now.join(" and ")})` : String(this.#voices.size);
  }
}
