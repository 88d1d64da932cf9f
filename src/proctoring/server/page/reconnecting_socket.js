import { ApiError, passes } from "./api.js";
import { Moves, SERVICE_RESTART } from "./moves.js";
import { protocols } from "./token.js";

/** Pause before the second attempt; doubled before each further one. */
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 8000;

/** Close code of a message that is too large. It is the protocol's own: no error precedes it. */
const MESSAGE_TOO_BIG = 1009;
/** Close code of the wrong type of message. */
const UNSUPPORTED_DATA = 1003;
/** The first close code that is not the protocol's. */
const FIRST_OWN_CODE = 4000;

/** @import { ServerError } from "./api.js" */

/**
 * `moving`: the server closed it with 1012 and it is about to be open again; `waiting`: will try again; `closed`: will not.
 *
 * @typedef {"idle" | "connecting" | "open" | "moving" | "waiting" | "closed"} SocketState
 */

/** One for each connection that was stopped while it was being opened. @type {Set<Promise<void>>} */
const openingStopped = new Set();

/**
 * Waits until no connection that was stopped is still being opened: the server has then heard of all of them,
 * before whatever it is asked next.
 *
 * @param {number} limit  milliseconds after which it waits no longer
 */
export async function stoppedOpened(limit) {
  if (!openingStopped.size) return;
  await Promise.race([Promise.all(openingStopped), new Promise((resolve) => setTimeout(resolve, limit))]);
}

/**
 * Closes a connection for good. One that is still being opened is closed as soon as it is open: browsers report the
 * closing of a half-open connection as an error of the page.
 *
 * @param {WebSocket} socket
 */
function close(socket) {
  if (socket.readyState !== WebSocket.CONNECTING) {
    socket.close(1000);
    return;
  }
  socket.onmessage = null;
  const opened = /** @type {Promise<void>} */ (
    new Promise((resolve) => {
      socket.onopen = () => {
        socket.close(1000);
        resolve();
      };
      socket.onclose = () => resolve();
    })
  );
  openingStopped.add(opened);
  void opened.then(() => openingStopped.delete(opened));
}

/** A WebSocket that comes back by itself, after longer and longer pauses. */
export class ReconnectingSocket {
  #options;
  /** @type {WebSocket | null} */
  #socket = null;
  #timer = 0;
  #failures = 0;
  #moves = new Moves();
  #attempt = 0;
  /** @type {SocketState} */
  #state = "idle";
  /** The last error that the server sent on this connection. @type {ServerError | null} */
  #error = null;

  /**
   * @param {object} options
   * @param {() => Promise<URL>} options.prepare  called before every attempt; rejecting counts as a
   *   failed one
   * @param {(message: any) => void} options.onMessage  JSON
   * @param {(state: SocketState) => void} options.onState
   * @param {(error: ServerError) => void} [options.onFinal]  it will not be opened again
   * @param {(error: unknown) => void} [options.onFailure]  it was not opened, and will be tried again; with
   *   the error of `prepare`, or null where the browser does not tell why
   */
  constructor(options) {
    this.#options = options;
  }

  get state() {
    return this.#state;
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Bytes that wait for the network. */
  get waiting() {
    return this.#socket?.bufferedAmount ?? 0;
  }

  start() {
    if (this.#state !== "idle" && this.#state !== "closed") return;
    this.#failures = 0;
    this.#moves = new Moves();
    void this.#connect();
  }

  /** Opens a connection in place of this one, once the server has read all that this one carried. */
  reopen() {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return;
    this.#attempt += 1;
    const attempt = this.#attempt;
    this.#socket = null;
    this.#setState("connecting");
    socket.onmessage = null;
    socket.onclose = () => {
      if (attempt === this.#attempt) void this.#connect();
    };
    socket.close(1000);
  }

  /** Tries now instead of at the end of the pause. */
  hurry() {
    if (this.#state !== "waiting") return;
    clearTimeout(this.#timer);
    void this.#connect();
  }

  stop() {
    this.#attempt += 1;
    clearTimeout(this.#timer);
    if (this.#socket) close(this.#socket);
    this.#socket = null;
    this.#setState("idle");
  }

  /**
   * Sends if the socket is open.
   *
   * @param {string | ArrayBufferView<ArrayBuffer>} data
   * @returns {boolean} whether it did
   */
  send(data) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(data);
    return true;
  }

  async #connect() {
    this.#attempt += 1;
    const attempt = this.#attempt;
    if (this.#state !== "moving") this.#setState("connecting");
    let url;
    try {
      url = await this.#options.prepare();
    } catch (error) {
      if (attempt !== this.#attempt) return;
      if (error instanceof ApiError && !passes(error)) this.#giveUp(error);
      else this.#fail(error);
      return;
    }
    if (attempt !== this.#attempt) return;
    const socket = new WebSocket(url, protocols());
    this.#socket = socket;
    this.#error = null;
    let opened = false;
    socket.onopen = () => {
      if (socket !== this.#socket) return;
      opened = true;
      this.#moves.opened();
      this.#setState("open");
    };
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return;
      const message = JSON.parse(data);
      this.#error = message.error ?? this.#error;
      this.#options.onMessage(message);
    };
    socket.onclose = ({ code, reason }) => {
      if (socket !== this.#socket) return;
      this.#socket = null;
      if (code === SERVICE_RESTART) this.#moves.closed(performance.now());
      else if (opened) this.#failures = 0;
      const error = this.#closingError(code, reason);
      if (error && !passes(error)) this.#giveUp(error);
      else if (opened) this.#wait();
      else this.#fail(null);
    };
  }

  /**
   * The error that the server closed the connection with; `null` if the connection was lost or the
   * server stops.
   *
   * @param {number} code
   * @param {string} reason
   * @returns {ServerError | null}
   */
  #closingError(code, reason) {
    if (code === MESSAGE_TOO_BIG) return { code: "too_big", detail: reason, retryable: false };
    return code === UNSUPPORTED_DATA || code >= FIRST_OWN_CODE ? this.#error : null;
  }

  /** @param {ServerError} error */
  #giveUp(error) {
    this.#setState("closed");
    this.#options.onFinal?.(error);
  }

  /** @param {unknown} error */
  #fail(error) {
    this.#wait();
    if (this.#state === "waiting") this.#options.onFailure?.(error);
  }

  #wait() {
    const pause = this.#moves.pause(performance.now());
    if (pause !== null) {
      this.#failures = 0;
      this.#setState("moving");
      this.#timer = window.setTimeout(() => void this.#connect(), pause);
      return;
    }
    this.#setState("waiting");
    const delay = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures);
    this.#failures += 1;
    // Spread, so that many pages do not all come back to a restarted server in the same moment.
    this.#timer = window.setTimeout(() => void this.#connect(), delay * (0.75 + Math.random() / 2));
  }

  /** @param {SocketState} state */
  #setState(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onState(state);
  }
}
