/** Close code of a server that stops or hands the session to another: the session goes on elsewhere, or here again. */
export const SERVICE_RESTART = 1012;

/** Longest pause before an attempt; drawn at random from zero, so that pages do not all return in the same moment. */
const LONGEST_PAUSE_MS = 150;
/** How long after the close attempts follow at once. */
const TIME_MS = 1500;
/** So many moves within so long return at once; who is moved more often has a failing server. */
const MOST = 3;
const WITHIN_MS = 30_000;

/** Decides how soon a socket returns after a close with 1012. Times are milliseconds of one clock. */
export class Moves {
  /** @type {number[]} */
  #began = [];
  #until = Number.NEGATIVE_INFINITY;

  /**
   * The server closed the socket with 1012.
   *
   * @param {number} now
   */
  closed(now) {
    this.#began = this.#began.filter((time) => now - time < WITHIN_MS);
    if (this.#began.length >= MOST) return;
    this.#began.push(now);
    this.#until = now + TIME_MS;
  }

  /**
   * The pause before the next attempt; `null` when it is no move, or no longer.
   *
   * @param {number} now
   * @returns {number | null}
   */
  pause(now) {
    return now < this.#until ? Math.random() * LONGEST_PAUSE_MS : null;
  }

  /** The socket is open again. */
  opened() {
    this.#until = Number.NEGATIVE_INFINITY;
  }
}
