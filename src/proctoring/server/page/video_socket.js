import { socketAddress } from "./api.js";
import { ReconnectingSocket } from "./reconnecting_socket.js";

/**
 * @import { ServerError } from "./api.js"
 * @import { SocketState } from "./reconnecting_socket.js"
 */

/**
 * What the server asks for: frames a second, and the largest picture it wants.
 *
 * @typedef {{frames_per_second: number, max_width: number, max_height: number, reason: string}} Flow
 */

/** @typedef {[left: number, top: number, right: number, bottom: number]} Box  pixels of the analysed frame */
/** @typedef {[x: number, y: number]} Point  pixels of the analysed frame, y down */

/**
 * Degrees, left and right being the candidate's own. A pitch of null could not be read.
 *
 * @typedef {{yaw: number, pitch: number | null, roll?: number}} Angles
 */

/** @typedef {{track: number, box: Box, presence: number, landmarks?: Point[]}} Face */
/** @typedef {{label: string, score: number, box: Box}} Detection */
/** @typedef {{phones: Detection[], persons: Detection[]}} Objects */

/**
 * The candidate's face; null is not readable.
 *
 * @typedef {object} Candidate
 * @property {number} track
 * @property {{yaw: number, pitch: number, roll: number} | null} head
 * @property {Angles | null} gaze
 * @property {boolean | null} eyes_open
 */

/**
 * A comparison of the candidate's face with the reference.
 *
 * @typedef {{distance: number, comparisons: number, trigger: string, from_photo: boolean}} Identity
 */

/**
 * What was analysed in one frame; null is not analysed in it.
 *
 * @typedef {object} Observation
 * @property {number} time  media time, seconds
 * @property {number} capture_time  as sent, microseconds
 * @property {number} width  of the analysed frame, pixels
 * @property {number} height
 * @property {Face[] | null} faces
 * @property {Candidate | null} candidate
 * @property {Objects | null} objects
 * @property {Identity | null} identity
 * @property {{what: string, reason: string}[]} not_read
 * @property {number} latency_ms  from arrival to this message
 */

/** Errors about a frame, after which the socket stays open. */
const ABOUT_FRAMES = new Set(["bad_frame", "too_many_frames", "analysis_failed"]);

/** The socket that takes pictures and gives observations. */
export class VideoSocket {
  #socket;

  /**
   * @param {object} options
   * @param {() => Promise<string>} options.prepare  gives the id of a session that exists
   * @param {(flow: Flow) => void} options.onFlow
   * @param {(observation: Observation) => void} options.onObservation
   * @param {(error: ServerError) => void} options.onFrameError  a frame could not be used
   * @param {(state: SocketState) => void} options.onState
   * @param {(error: ServerError) => void} options.onFinal  it will not be opened again
   * @param {(error: unknown) => void} options.onFailure  it was not opened, and will be tried again
   */
  constructor({ prepare, onFlow, onObservation, onFrameError, onState, onFinal, onFailure }) {
    this.#socket = new ReconnectingSocket({
      prepare: async () => socketAddress(await prepare(), "video", { observe: 1, landmarks: 1 }),
      onMessage({ flow, observation, error }) {
        if (flow) onFlow(flow);
        if (observation) onObservation(observation);
        if (error && ABOUT_FRAMES.has(error.code)) onFrameError(error);
      },
      onState,
      onFinal,
      onFailure,
    });
  }

  get state() {
    return this.#socket.state;
  }

  /** Open, and nothing older still waits for the network. */
  get isReady() {
    return this.#socket.isOpen && this.#socket.waiting === 0;
  }

  start() {
    this.#socket.start();
  }

  stop() {
    this.#socket.stop();
  }

  hurry() {
    this.#socket.hurry();
  }

  /** @param {Uint8Array<ArrayBuffer>} message  capture time and JPEG */
  send(message) {
    return this.#socket.send(message);
  }
}
