import { socketAddress } from "./api.js";
import { ReconnectingSocket } from "./reconnecting_socket.js";

/** Close codes after which sending again would be wrong. */
const FINAL = {
  1003: "refused",
  1009: "too_big",
  4000: "bad_frames",
  4004: "ended",
  4009: "replaced",
};

/** The socket that takes pictures and gives observations. */
export class VideoSocket {
  #socket;

  /**
   * @param {object} options
   * @param {() => Promise<string>} options.prepare  gives the id of a session that exists
   * @param {(flow: object) => void} options.onFlow
   * @param {(observation: object) => void} options.onObservation
   * @param {(error: {code: string, detail: string}) => void} options.onError
   * @param {(state: string) => void} options.onState
   * @param {(cause: string, reason: string) => void} options.onFinal  `replaced`, `ended`, ...
   */
  constructor({ prepare, onFlow, onObservation, onError, onState, onFinal }) {
    this.#socket = new ReconnectingSocket({
      prepare: async () => socketAddress(await prepare(), "video", { observe: 1, landmarks: 1 }),
      onText(text) {
        const message = JSON.parse(text);
        if (message.flow) onFlow(message.flow);
        if (message.observation) onObservation(message.observation);
        if (message.error) onError(message.error);
      },
      onState,
      isFinal(code, reason) {
        if (code in FINAL) onFinal(FINAL[code], reason);
        return code in FINAL;
      },
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

  /** @param {Uint8Array} message  capture time and JPEG */
  send(message) {
    return this.#socket.send(message);
  }
}
