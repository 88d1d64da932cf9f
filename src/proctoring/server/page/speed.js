import { element } from "./element.js";
import { Median, Rate, RoundTrips } from "./statistics.js";

/**
 * @import { Flow, Observation } from "./video_socket.js"
 */

/** Pause between two updates: numbers that change ten times a second cannot be read. */
const SHOWN_EVERY_MS = 500;

/**
 * @param {string} id
 * @param {string} value
 */
const text = (id, value) => {
  element(id).textContent = value;
};

/** @type {Record<string, string | undefined>} */
const REASONS = {
  overload: "it has too little computing time for all sessions",
  frame_cost: "pictures as large as these take it too long",
};

/** @param {Flow} flow */
function asked({ frames_per_second: rate, reason }) {
  const why = REASONS[reason];
  return `the server asks for ${rate} frames/s${why ? `: ${why}` : ""}`;
}

/** Shows how fast pictures go and come, and how long they take. */
export class Speed {
  #sent = new Rate();
  #analysed = new Rate();
  #roundTrips = new RoundTrips();
  #roundTrip = new Median();
  #server = new Median();
  #bytes = new Median();
  #size = "";
  /** @type {Flow | null} */
  #flow = null;
  #running = false;

  constructor() {
    setInterval(() => this.#show(), SHOWN_EVERY_MS);
  }

  start() {
    for (const part of [this.#sent, this.#analysed, this.#roundTrips]) part.clear();
    for (const part of [this.#roundTrip, this.#server, this.#bytes]) part.clear();
    this.#size = "";
    this.#running = true;
  }

  stop() {
    this.#running = false;
    this.#show();
  }

  /** @param {Flow} flow */
  setFlow(flow) {
    this.#flow = flow;
  }

  /**
   * @param {number} captureTime  microseconds
   * @param {number} bytes
   */
  frameSent(captureTime, bytes) {
    this.#sent.add();
    this.#roundTrips.sent(captureTime);
    this.#bytes.add(bytes);
  }

  /** @param {Observation} observation */
  observed(observation) {
    this.#analysed.add();
    this.#server.add(observation.latency_ms);
    this.#size = `${observation.width} × ${observation.height}`;
    const roundTrip = this.#roundTrips.answered(observation.capture_time);
    if (roundTrip !== null) this.#roundTrip.add(roundTrip);
  }

  #show() {
    if (!this.#running) {
      for (const name of ["sent", "analysed", "round-trip", "server"]) text(`speed-${name}`, "–");
      text("speed-detail", "");
      return;
    }
    text("speed-sent", this.#sent.value().toFixed(1));
    text("speed-analysed", this.#analysed.value().toFixed(1));
    text("speed-round-trip", this.#roundTrip.value()?.toFixed(0) ?? "–");
    text("speed-server", this.#server.value()?.toFixed(0) ?? "–");
    const details = [];
    if (this.#size) details.push(`${this.#size} pixels`);
    const bytes = this.#bytes.value();
    if (bytes) details.push(`${(bytes / 1000).toFixed(0)} kB a frame`);
    if (this.#flow) details.push(asked(this.#flow));
    text("speed-detail", details.join(", "));
  }
}
