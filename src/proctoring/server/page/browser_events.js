import { socketAddress } from "./api.js";
import { Metronome } from "./metronome.js";
import { ReconnectingSocket } from "./reconnecting_socket.js";

/** @import { ServerError } from "./api.js" */

/** Reports a second while nothing changes. */
const REPORT_RATE = 1;

/**
 * A `Screen` where the browser implements the Window Management API (Chromium does).
 *
 * @typedef {Screen & Partial<EventTarget> & {isExtended?: boolean}} ExtendedScreen
 */

/**
 * Reports how the candidate's browser stands: tab hidden, window left, full screen left, paste, second
 * screen, network loss, name of the camera. Once a second, and at once when something changes. What was
 * pasted is never read, only how much it was.
 *
 * For pages of integrators as for this one; `docs/integrate/sockets.md` has an example.
 */
export class BrowserEvents {
  #socket;
  #camera;
  #metronome = new Metronome(() => this.#report());
  /** @type {AbortController | null} */
  #listening = null;
  #wasFullscreen = false;
  #pasted = 0;
  /** @type {number | null} */
  #offlineSince = null;
  #offline = 0;

  /**
   * @param {object} options
   * @param {() => Promise<string>} options.prepare  gives the id of a session that exists
   * @param {string} [options.server]  address of the proctoring server; this page's own unless given
   * @param {() => string | null | undefined} [options.camera]  the label of the camera that is used
   * @param {(error: ServerError) => void} [options.onError]
   */
  constructor({ prepare, server, camera = () => null, onError = () => {} }) {
    this.#camera = camera;
    this.#socket = new ReconnectingSocket({
      prepare: async () => socketAddress(await prepare(), "browser", {}, server),
      onMessage({ error }) {
        if (error) onError(error);
      },
      onState: (state) => {
        if (state === "open") this.#report();
      },
    });
  }

  start() {
    if (this.#listening) return;
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    const report = () => this.#report();
    document.addEventListener("visibilitychange", report, { signal });
    document.addEventListener("fullscreenchange", report, { signal });
    window.addEventListener("blur", report, { signal });
    window.addEventListener("focus", report, { signal });
    const screen = /** @type {ExtendedScreen} */ (window.screen);
    screen.addEventListener?.("change", report, { signal });
    document.addEventListener(
      "paste",
      (event) => {
        this.#pasted += event.clipboardData?.getData("text/plain").length ?? 0;
        this.#report();
      },
      { signal, capture: true },
    );
    window.addEventListener("offline", () => this.#wentOffline(), { signal });
    window.addEventListener("online", () => this.#cameOnline(), { signal });
    this.#socket.start();
    this.#metronome.setRate(REPORT_RATE);
  }

  stop() {
    this.#listening?.abort();
    this.#listening = null;
    this.#metronome.setRate(0);
    this.#socket.stop();
  }

  #wentOffline() {
    this.#offlineSince ??= performance.now();
  }

  #cameOnline() {
    if (this.#offlineSince === null) return;
    this.#offline += (performance.now() - this.#offlineSince) / 1000;
    this.#offlineSince = null;
    this.#socket.hurry();
    this.#report();
  }

  #report() {
    if (!this.#listening) return;
    const fullscreen = document.fullscreenElement !== null;
    this.#wasFullscreen ||= fullscreen;
    const sent = this.#socket.send(
      JSON.stringify({
        capture_time: Math.round((performance.timeOrigin + performance.now()) * 1000),
        visible: document.visibilityState === "visible",
        focused: document.hasFocus(),
        fullscreen: this.#wasFullscreen ? fullscreen : null,
        second_screen: /** @type {ExtendedScreen} */ (window.screen).isExtended ?? null,
        camera: this.#camera() || null,
        pasted: this.#pasted,
        offline: Math.round(this.#offline * 1000) / 1000,
      }),
    );
    // What could not be told yet is told when the socket is back.
    if (sent) this.#pasted = this.#offline = 0;
  }
}
