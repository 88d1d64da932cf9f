/** Beats at a steady rate, also while the page is in a background tab (whose own timers sleep). */
export class Metronome {
  #worker = new Worker(new URL("metronome_worker.js", import.meta.url));

  /** @param {() => void} onBeat */
  constructor(onBeat) {
    this.#worker.onmessage = () => onBeat();
  }

  /** @param {number} rate beats a second; 0 stops it */
  setRate(rate) {
    this.#worker.postMessage(rate);
  }

  /** Beats no more, ever. */
  close() {
    this.#worker.onmessage = null;
    this.#worker.terminate();
  }
}
