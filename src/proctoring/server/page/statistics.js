/** Events a second over the last few seconds. */
export class Rate {
  /** Milliseconds of the page's clock. @type {number[]} */
  #times = [];
  #window;

  /** @param {number} seconds  over which to count */
  constructor(seconds = 3) {
    this.#window = seconds * 1000;
  }

  add(now = performance.now()) {
    this.#times.push(now);
    this.#forget(now);
  }

  /** @returns {number} a second; 0 when nothing came lately */
  value(now = performance.now()) {
    this.#forget(now);
    const gaps = this.#times.length - 1;
    if (gaps < 1) return 0;
    const first = this.#times[0] ?? now;
    const last = this.#times[gaps] ?? now;
    // Up to the last event, or further once the next one is overdue.
    const until = Math.max(last, now - (last - first) / gaps);
    return (gaps * 1000) / (until - first);
  }

  clear() {
    this.#times = [];
  }

  /** @param {number} now */
  #forget(now) {
    while (now - (this.#times[0] ?? now) > this.#window) this.#times.shift();
  }
}

/** Median of the last few values: one slow frame does not make the number jump. */
export class Median {
  /** @type {number[]} */
  #values = [];
  #size;

  constructor(size = 21) {
    this.#size = size;
  }

  /** @param {number} value */
  add(value) {
    this.#values.push(value);
    if (this.#values.length > this.#size) this.#values.shift();
  }

  /** @returns {number | null} */
  value() {
    const sorted = [...this.#values].sort((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? null;
  }

  clear() {
    this.#values = [];
  }
}

/** How long frames take from sending to their observation, by capture time. */
export class RoundTrips {
  /** Capture time in microseconds -> when it was sent, in milliseconds. @type {Map<number, number>} */
  #sent = new Map();
  /** Frames that are waited for at once. */
  #limit = 100;

  /** @param {number} captureTime */
  sent(captureTime, now = performance.now()) {
    this.#sent.set(captureTime, now);
    // Frames that a newer one replaced are never answered.
    const [oldest] = this.#sent.keys();
    if (this.#sent.size > this.#limit && oldest !== undefined) this.#sent.delete(oldest);
  }

  /**
   * @param {number} captureTime
   * @returns {number | null} milliseconds, or null for a frame that is not known
   */
  answered(captureTime, now = performance.now()) {
    const start = this.#sent.get(captureTime);
    if (start === undefined) return null;
    this.#sent.delete(captureTime);
    return now - start;
  }

  clear() {
    this.#sent.clear();
  }
}
