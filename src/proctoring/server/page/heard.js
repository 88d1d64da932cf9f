/** What the server hears, in words. */

const field = (name) => document.getElementById(`sound-${name}`);
const QUIETEST = -60;

export class Heard {
  #voices = new Set();

  /** @param {object} sound  the server's observation of half a second */
  show({ speech, level, speakers, not_read: notRead }) {
    const shown = Math.max(QUIETEST, level ?? QUIETEST);
    field("level").value = shown;
    field("level-text").textContent = level === null ? "–" : `${Math.round(shown)} dB`;
    field("speech").textContent = speech === null ? "–" : speech >= 0.3 ? "yes" : "no";
    for (const { number } of speakers?.voices ?? []) this.#voices.add(number);
    if (speakers) field("voices").textContent = this.#describe(speakers);
    field("not-read").textContent = (notRead ?? []).map(({ what, reason }) => `${what}: ${reason}`).join("; ");
  }

  clear() {
    this.#voices.clear();
    field("level").value = QUIETEST;
    for (const name of ["level-text", "speech", "voices"]) field(name).textContent = "–";
    field("not-read").textContent = "";
  }

  /** How many voices so far, and whose is heard now; voice 1 is the candidate's. */
  #describe({ voices }) {
    if (!this.#voices.size) return "none yet";
    const now = voices.map(({ number }) => (number === 1 ? "the candidate's" : `voice ${number}`));
    return now.length ? `${this.#voices.size} (now ${now.join(" and ")})` : String(this.#voices.size);
  }
}
