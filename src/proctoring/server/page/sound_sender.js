import { socketAddress } from "./api.js";
import { SAMPLE_RATE } from "./microphone.js";
import { ReconnectingSocket } from "./reconnecting_socket.js";

/**
 * @import { ServerError } from "./api.js"
 * @import { AudioObservation } from "./heard.js"
 * @import { SocketState } from "./reconnecting_socket.js"
 */

/** Samples that are kept while the network is away or slow: 30 s, as the server keeps. */
const MOST_KEPT = 30 * SAMPLE_RATE;

/**
 * Samples just sent that are kept, in case a server that goes on with the session does not have them: what was in
 * flight, and what came after the state was written that it continues from (every 2 s, and the time to write it).
 */
const MOST_SENT = 5 * SAMPLE_RATE;

/** Bytes that may wait for the network: two seconds of sound. */
const MOST_WAITING = 2 * 2 * SAMPLE_RATE;

/** Microseconds by which a sample may miss its count before the server is told where it belongs. */
const TOLERANCE = 250_000;

/** @typedef {{samples: Int16Array<ArrayBuffer>, captureTime: number}} Piece  the time is of its first sample */

/**
 * Sends sound: none is left out while the network is away for less than half a minute, and what is
 * missing (muted, paused, away for longer) the server hears of by the time of what follows.
 */
export class SoundSender {
  #socket;
  /** @type {Piece[]} */
  #kept = [];
  #keptSamples = 0;
  /** What was sent last, with its times as the server counts them. @type {Piece[]} */
  #sent = [];
  #sentSamples = 0;
  /** Capture time of the next sample, as the server counts it, in microseconds; 0 before a connection. */
  #next = 0;
  /** Called when audio is added. @type {() => void} */
  #arrived = () => {};

  /**
   * @param {object} options
   * @param {() => Promise<string>} options.prepare  gives the id of a session that exists
   * @param {(sound: AudioObservation) => void} options.onSound  what the server heard
   * @param {(state: SocketState) => void} options.onState
   * @param {(error: ServerError) => void} options.onFinal  it will not be opened again
   */
  constructor({ prepare, onSound, onState, onFinal }) {
    this.#socket = new ReconnectingSocket({
      prepare: async () => {
        const id = await prepare();
        const start = Math.round(await this.#firstTime());
        this.#next = start;
        return socketAddress(id, "audio", { start, rate: SAMPLE_RATE, observe: 1 });
      },
      onMessage({ audio }) {
        if (audio) onSound(audio);
      },
      onState: (state) => {
        if (state === "open") this.#flush();
        else this.#keepSent();
        onState(state);
      },
      onFinal,
    });
  }

  get state() {
    return this.#socket.state;
  }

  /** Whether everything has gone out. */
  get isEmpty() {
    return this.#kept.length === 0 && this.#socket.waiting === 0;
  }

  start() {
    this.#socket.start();
  }

  stop() {
    this.#socket.stop();
    this.#kept = [];
    this.#keptSamples = 0;
    this.#forgetSent();
    this.#next = 0;
  }

  hurry() {
    this.#socket.hurry();
  }

  /**
   * Takes sound whose first sample was captured at that time.
   *
   * @param {Int16Array<ArrayBuffer>} samples
   * @param {number} captureTime  microseconds
   */
  add(samples, captureTime) {
    if (this.state === "idle" || this.state === "closed") return;
    this.#kept.push({ samples, captureTime });
    this.#keptSamples += samples.length;
    while (this.#keptSamples > MOST_KEPT) this.#keptSamples -= this.#kept.shift()?.samples.length ?? 0;
    this.#arrived();
    if (this.#socket.isOpen) this.#flush();
  }

  #flush() {
    while (this.#socket.waiting < MOST_WAITING) {
      const [oldest] = this.#kept;
      if (!oldest) return;
      const { samples, captureTime } = oldest;
      if (Math.abs(captureTime - this.#next) > TOLERANCE) {
        // A new connection says where in time this belongs, after the server has read what the old one carried.
        const [sent, sentSamples] = [this.#sent, this.#sentSamples];
        this.#forgetSent();
        this.#socket.reopen();
        [this.#sent, this.#sentSamples] = [sent, sentSamples];
        return;
      }
      if (!this.#socket.send(samples)) return;
      this.#kept.shift();
      this.#keptSamples -= samples.length;
      this.#sent.push({ samples, captureTime: this.#next });
      this.#sentSamples += samples.length;
      while (this.#sentSamples > MOST_SENT) this.#sentSamples -= this.#sent.shift()?.samples.length ?? 0;
      this.#next += (samples.length / SAMPLE_RATE) * 1e6;
    }
  }

  /** The connection is gone: what was sent last is sent again, and the server skips what it has of it. */
  #keepSent() {
    this.#kept.unshift(...this.#sent);
    this.#keptSamples += this.#sentSamples;
    this.#forgetSent();
  }

  #forgetSent() {
    this.#sent = [];
    this.#sentSamples = 0;
  }

  /**
   * The capture time of what is to be sent next; waits until there is something.
   *
   * @returns {Promise<number>} microseconds
   */
  async #firstTime() {
    if (!this.#kept.length) {
      await /** @type {Promise<void>} */ (
        new Promise((resolve) => {
          this.#arrived = resolve;
        })
      );
    }
    return this.#kept[0]?.captureTime ?? this.#firstTime();
  }
}
