import { socketAddress } from "./api.js";
import { ReconnectingSocket } from "./reconnecting_socket.js";

const SESSION_ENDED = 4004;

/** The socket that tells of incidents; after a break it asks for what was missed. */
export class EventsSocket {
  #socket;
  #lastSeq = 0;

  /**
   * @param {object} options
   * @param {() => Promise<string>} options.prepare  gives the id of a session that exists
   * @param {(event: object) => void} options.onEvent  each event once, in order
   * @param {(state: string) => void} options.onState
   * @param {() => void} options.onEnded  the session has ended on the server
   */
  constructor({ prepare, onEvent, onState, onEnded }) {
    this.#socket = new ReconnectingSocket({
      prepare: async () => {
        const sessionId = await prepare();
        return socketAddress(sessionId, "events", { after: this.#lastSeq });
      },
      onText: (text) => {
        const event = JSON.parse(text);
        if (!(event.seq > this.#lastSeq)) return;
        this.#lastSeq = event.seq;
        onEvent(event);
      },
      onState,
      isFinal(code) {
        if (code === SESSION_ENDED) onEnded();
        return code === SESSION_ENDED;
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
