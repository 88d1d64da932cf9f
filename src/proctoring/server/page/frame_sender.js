import { contextOf } from "./element.js";
import { Metronome } from "./metronome.js";

/** Ten a second: the rate at which the server looks at faces. */
const DEFAULT_FLOW = { frames_per_second: 10, max_width: 640, max_height: 480, reason: "" };

/** Eye lids and irises survive this; the file is a third of what .95 makes. */
const JPEG_QUALITY = 0.85;

/** Length of the capture time in front of the JPEG, in bytes. */
const TIME_BYTES = 8;

/**
 * @import { Source } from "./camera.js"
 * @import { Flow, VideoSocket } from "./video_socket.js"
 */

/**
 * Takes pictures from the playing video and sends them, as fast as the server asks and no faster
 * than the network carries them.
 */
export class FrameSender {
  #video;
  #socket;
  #onSent;
  #canvas = document.createElement("canvas");
  #context = contextOf(this.#canvas, { alpha: false });
  #metronome = new Metronome(() => void this.#beat());
  #flow = DEFAULT_FLOW;
  /** @type {Source | null} */
  #source = null;
  #encoding = false;
  #lastTime = 0;

  /**
   * @param {HTMLVideoElement} video
   * @param {VideoSocket} socket
   * @param {(captureTime: number, bytes: number) => void} onSent
   */
  constructor(video, socket, onSent) {
    this.#video = video;
    this.#socket = socket;
    this.#onSent = onSent;
  }

  /**
   * Sends this source's pictures until `stop`.
   *
   * @param {Source} source
   */
  start(source) {
    this.#source = source;
    this.#lastTime = 0;
    this.#metronome.setRate(this.#flow.frames_per_second);
  }

  stop() {
    this.#source = null;
    this.#metronome.setRate(0);
  }

  /**
   * What the server asks for.
   *
   * @param {Partial<Flow>} flow
   */
  setFlow(flow) {
    this.#flow = { ...DEFAULT_FLOW, ...flow };
    if (this.#source) this.#metronome.setRate(this.#flow.frames_per_second);
  }

  async #beat() {
    // After a break even a picture that stands still is news.
    if (this.#socket.state !== "open") this.#lastTime = 0;
    // A picture that cannot go out now would only arrive late: leave it out, the next is fresher.
    if (this.#encoding || !this.#socket.isReady || !this.#video.videoWidth) return;
    const source = this.#source;
    if (!source?.hasPicture()) return;
    const time = Math.round(source.captureTime());
    if (time === this.#lastTime) return;
    this.#lastTime = time;
    this.#encoding = true;
    try {
      this.#draw();
      const blob = await this.#encode();
      if (blob && this.#source === source) await this.#send(time, blob);
    } finally {
      this.#encoding = false;
    }
  }

  /** @returns {Promise<Blob | null>} */
  #encode() {
    return new Promise((done) => {
      this.#canvas.toBlob(done, "image/jpeg", JPEG_QUALITY);
    });
  }

  #draw() {
    const { videoWidth, videoHeight } = this.#video;
    const { max_width: maxWidth, max_height: maxHeight } = this.#flow;
    const scale = Math.min(1, maxWidth / videoWidth, maxHeight / videoHeight);
    const width = Math.max(1, Math.round(videoWidth * scale));
    const height = Math.max(1, Math.round(videoHeight * scale));
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    this.#context.drawImage(this.#video, 0, 0, width, height);
  }

  /**
   * @param {number} time  microseconds
   * @param {Blob} blob
   */
  async #send(time, blob) {
    const message = new Uint8Array(TIME_BYTES + blob.size);
    new DataView(message.buffer).setBigUint64(0, BigInt(time));
    message.set(new Uint8Array(await blob.arrayBuffer()), TIME_BYTES);
    if (this.#socket.send(message)) this.#onSent(time, message.length);
  }
}
