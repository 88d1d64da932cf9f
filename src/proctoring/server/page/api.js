import { authorisation } from "./token.js";

/** The server's REST interface, as far as this page uses it. */

/** @import { Grant } from "./permitted.js" */

const TIMEOUT_MS = 5000;
/** To begin a session: the server waits up to 5 s until that is recorded, then says that it is not. */
const BEGIN_TIMEOUT_MS = 8000;

/**
 * @typedef {{
 *   name: string, available: boolean, reason: string, model: string, wanted?: boolean,
 * }} Capability
 * @typedef {{
 *   status: string, access?: string, version?: string, detail?: string, capabilities?: Capability[],
 *   grant?: Grant,
 * }} Health  `{status, access}` alone where a token is asked for and none was sent
 * @typedef {{name: string, description: string}} Policy
 * @typedef {{
 *   session_id: string, policy?: string, mirrored?: boolean, accommodations?: object,
 * }} SessionRequest
 */

/**
 * An error as the server sends it, in an answer or on a socket (`docs/reference/errors.md`).
 *
 * @typedef {{code: string, detail: string, retryable: boolean}} ServerError
 */

/** An answer that is an error. `status` is 0 and `code` empty when no answer came at all. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {ServerError} error
   */
  constructor(status, { code, detail, retryable }) {
    super(detail);
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.retryable = retryable;
  }
}

/** Errors that a new token may end, which a page can get at any time. */
const ABOUT_TOKENS = new Set(["unauthorised", "forbidden", "token_expired"]);

/**
 * Whether a new token may end it.
 *
 * @param {ServerError} error
 */
export const isAboutToken = ({ code }) => ABOUT_TOKENS.has(code);

/** Statuses of answers that are not the server's own, but a proxy's, and that pass. */
const PROXY_TEMPORARY = new Set([408, 429]);

/**
 * Whether to try again by and by.
 *
 * @param {ServerError} error
 */
export const passes = ({ code, retryable }) => retryable || ABOUT_TOKENS.has(code);

/**
 * Address of something on this page's own server, or another; works below a path prefix, too.
 *
 * @param {string} path
 * @param {string} [server]
 */
export function address(path, server = document.baseURI) {
  return new URL(path, server);
}

/**
 * Address of one of a session's sockets: `socketAddress("exam-7", "events", { after: 17 })`.
 *
 * @param {string} sessionId
 * @param {string} name
 * @param {Record<string, string | number>} query
 * @param {string} [server]
 */
export function socketAddress(sessionId, name, query, server) {
  const url = address(`ws/proctor/${encodeURIComponent(sessionId)}/${name}`, server);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.search = searchOf(query);
  return url;
}

/** @param {Record<string, string | number>} query */
export const searchOf = (query) =>
  new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)])).toString();

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @param {number} [timeout]  milliseconds
 */
async function ask(method, path, body, timeout = TIMEOUT_MS) {
  try {
    return await fetch(address(path), {
      method,
      cache: "no-store",
      signal: AbortSignal.timeout(timeout),
      headers: {
        ...authorisation(),
        ...(body === undefined ? null : { "content-type": "application/json" }),
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
  } catch {
    throw new ApiError(0, { code: "", detail: "the server does not answer", retryable: true });
  }
}

/** @param {Response} response */
async function refusal(response) {
  const { status } = response;
  const answer = await response.json().catch(() => null);
  return new ApiError(
    status,
    answer?.error ?? {
      code: "",
      detail: `the server answered ${status}`,
      retryable: status >= 500 || PROXY_TEMPORARY.has(status),
    },
  );
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @param {number} [timeout]  milliseconds
 * @returns {Promise<any>} the JSON of the answer
 * @throws {ApiError}
 */
export async function request(method, path, body, timeout) {
  const response = await ask(method, path, body, timeout);
  if (!response.ok) throw await refusal(response);
  return response.json();
}

/**
 * What lies at a path, whatever it is.
 *
 * @param {string} path
 * @throws {ApiError}
 */
export async function fetchBlob(path) {
  const response = await ask("GET", path);
  if (!response.ok) throw await refusal(response);
  return response.blob();
}

/** @returns {Promise<Health>} */
export const readHealth = () => request("GET", "api/health");

/**
 * The policies a session may be created with.
 *
 * @returns {Promise<{policies: Policy[], default: string}>}
 */
export const readPolicies = () => request("GET", "api/policies");

/** @param {SessionRequest} session */
export const createSession = (session) => request("POST", "api/sessions", session, BEGIN_TIMEOUT_MS);

/** @param {string} id */
export const readSession = (id) => request("GET", `api/sessions/${encodeURIComponent(id)}`);

/** @param {string} id */
export const beginCalibration = (id) => request("POST", `api/sessions/${encodeURIComponent(id)}/calibration`);

/** @param {string} id */
export const endSession = (id) => request("DELETE", `api/sessions/${encodeURIComponent(id)}`);
