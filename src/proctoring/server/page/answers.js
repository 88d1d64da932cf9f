/** Whether the server answers to what is sent, and if not, whether this device is offline. */

/** How often this is checked. */
const CHECK_EVERY_MS = 200;
/** Answers come ten times a second, at the lowest rate of analysis once. */
const SILENCE_MS = 1500;
/** The first one comes later: the session is recorded (which the server waits 5 s for), networks are loaded. */
const FIRST_SILENCE_MS = 7000;
/** Where the browser says that there is no network, less is enough. */
const OFFLINE_SILENCE_MS = 700;

/** @typedef {"answered" | "silent" | "offline" | "refused"} Answering  `refused`: the server answers, but takes nothing */

/** Watches the answers of one session at a time. */
export class Answers {
  #onChange;
  #timer = 0;
  #limit = FIRST_SILENCE_MS;
  /** When the first message was sent that is not answered yet, in milliseconds. @type {number | null} */
  #unanswered = null;
  /** @type {Answering} */
  #state = "answered";

  /** @param {(state: Answering) => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange;
    window.addEventListener("offline", () => this.#check());
  }

  get state() {
    return this.#state;
  }

  start() {
    this.stop();
    this.#limit = FIRST_SILENCE_MS;
    this.#timer = window.setInterval(() => this.#check(), CHECK_EVERY_MS);
  }

  /** Nothing is sent any more: nothing is waited for. */
  stop() {
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#unanswered = null;
    this.#state = "answered";
  }

  /** Something was sent, or waits for a connection. */
  sent() {
    this.#unanswered ??= performance.now();
  }

  answered() {
    if (!this.#timer) return;
    this.#unanswered = null;
    this.#limit = SILENCE_MS;
    this.#set("answered");
  }

  /** The server answered that it does not take what is sent: so until it takes some, or is silent. */
  refused() {
    if (this.#timer) this.#set("refused");
  }

  /** An attempt to connect got no answer at all. */
  unanswered() {
    if (this.#timer && this.#state === "refused") this.#set("silent");
  }

  #check() {
    if (!this.#timer || this.#unanswered === null) return;
    const silence = performance.now() - this.#unanswered;
    // A server on this machine answers without any network: what the browser says is not enough.
    if (!navigator.onLine && silence > OFFLINE_SILENCE_MS) this.#set("offline");
    else if (silence > this.#limit && this.#state !== "refused") this.#set("silent");
  }

  /** @param {Answering} state */
  #set(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#onChange(state);
  }
}
