import { ApiError, createSession, endSession, readSession } from "./api.js";
import { permits } from "./permitted.js";

/** @import { ServerError, SessionRequest } from "./api.js" */

/** Errors after which the session may be there all the same. */
const JOINABLE = new Set(["session_exists", "forbidden"]);

/** @param {unknown} error */
const isUnknown = (error) => error instanceof ApiError && error.code === "unknown_session";

/** The session that this page feeds: made with its policy, made again if the server lost it. */
export class Session {
  /** @type {Promise<string> | null} */
  #pending = null;
  #known = false;
  #onLost;

  /** @param {() => void} onLost  the server no longer knew the session; it was begun anew */
  constructor(onLost) {
    this.#onLost = onLost;
  }

  /** @type {SessionRequest | null} */
  wanted = null;

  /**
   * Makes sure that the session exists on the server, under the wanted policy.
   *
   * @returns {Promise<string>} its id
   */
  ensure() {
    this.#pending ??= this.#ensure().finally(() => {
      this.#pending = null;
    });
    return this.#pending;
  }

  /**
   * Why the server refuses a socket: a browser does not show a page the answer to a refused handshake.
   *
   * @returns {Promise<ServerError | null>} null: the server does not answer
   */
  async whyRefused() {
    try {
      if (this.wanted) await readSession(this.wanted.session_id);
    } catch (error) {
      if (!(error instanceof ApiError && error.status)) return null;
      if (!isUnknown(error)) return error;
    }
    return { code: "", detail: "", retryable: true };
  }

  async end() {
    const wanted = this.wanted;
    if (!wanted) return;
    try {
      await endSession(wanted.session_id);
    } catch (error) {
      if (!isUnknown(error)) throw error;
    }
  }

  /**
   * Goes on with a session that this page fed before it was loaded again.
   *
   * @param {SessionRequest} wanted
   */
  resume(wanted) {
    this.wanted = wanted;
    this.#known = true;
  }

  /** Another session is wanted from now on. */
  forget() {
    this.#known = false;
    this.wanted = null;
  }

  async #ensure() {
    const wanted = this.wanted;
    if (!wanted) throw new Error("no session is wanted");
    if (!this.#known) await this.#create(wanted);
    else if (!(await this.#exists(wanted.session_id))) {
      await this.#create(wanted);
      this.#onLost();
    }
    this.#known = true;
    return wanted.session_id;
  }

  /** @param {string} id */
  async #exists(id) {
    try {
      await readSession(id);
      return true;
    } catch (error) {
      if (isUnknown(error)) return false;
      throw error;
    }
  }

  /** @param {SessionRequest} wanted */
  async #create(wanted) {
    // Its first socket makes it, under the server's policy; or an administrator has made it.
    if (!permits("admin")) return;
    try {
      await createSession(wanted);
    } catch (error) {
      // Somebody else created it, under a policy of their own choice, or only they may: join it.
      if (!(error instanceof ApiError && JOINABLE.has(error.code))) throw error;
      if (error.code === "forbidden") await this.#exists(wanted.session_id);
    }
  }
}
