import { socketAddress } from "./api.js";
import { ReconnectingSocket } from "./reconnecting_socket.js";

/**
 * @import { Incident } from "./incidents.js"
 * @import { Calibration, Challenge, Enrolment } from "./guide.js"
 * @import { Media } from "./media_problems.js"
 * @import { SocketState } from "./reconnecting_socket.js"
 * @import { TranscriptEntry, TranscriptNotKept } from "./transcript.js"
 */

/**
 * A message of the socket.
 *
 * @typedef {object} EventMessage
 * @property {number} seq
 * @property {string} time  ISO 8601
 * @property {number} media_time  seconds
 * @property {Incident[]} incidents
 * @property {Enrolment} [enrolment]
 * @property {Calibration} [calibration]
 * @property {Challenge} [challenge]
 * @property {Media} [media]
 * @property {TranscriptEntry | TranscriptNotKept} [transcript]
 * @property {{available: boolean, reason: string}} [transcription]
 */

/** The socket that tells of incidents; after a break it asks for what was missed. */
export class EventsSocket {
  #socket;
  #lastSeq = 0;

  /**
   * @param {object} options
   * @param {() => Promise<string>} options.prepare  gives the id of a session that exists
   * @param {(event: EventMessage) => void} options.onEvent  each event once, in order
   * @param {(state: SocketState) => void} options.onState
   * @param {() => void} options.onEnded  the session has ended on the server
   */
  constructor({ prepare, onEvent, onState, onEnded }) {
    this.#socket = new ReconnectingSocket({
      prepare: async () => {
        const sessionId = await prepare();
        return socketAddress(sessionId, "events", { after: this.#lastSeq });
      },
      onMessage: (event) => {
        if (!(event.seq > this.#lastSeq)) return;
        this.#lastSeq = event.seq;
        onEvent(event);
      },
      onState,
      onFinal({ code }) {
        if (code === "ended") onEnded();
      },
    });
  }

  get state() {
    return this.#socket.state;
  }

  /** Forgets what was seen: another session, or the same id begun anew. */
  reset() {
    this.#lastSeq = 0;
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
}
