import { authorisation } from "./token.js";

/** The server's REST interface, as far as this page uses it. */

const TIMEOUT_MS = 5000;

/**
 * @typedef {{
 *   name: string, available: boolean, reason: string, model: string, wanted?: boolean,
 * }} Capability
 * @typedef {{
 *   status: string, access?: string, version?: string, detail?: string, capabilities?: Capability[],
 * }} Health  `{status, access}` alone where a token is asked for and none was sent
 * @typedef {{name: string, description: string}} Policy
 * @typedef {{
 *   session_id: string, policy?: string, mirrored?: boolean, accommodations?: object,
 * }} SessionRequest
 */

/** An answer that is not what was asked for. `status` is 0 when no answer came at all. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} detail
   */
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

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
 */
async function ask(method, path, body) {
  try {
    return await fetch(address(path), {
      method,
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        ...authorisation(),
        ...(body === undefined ? null : { "content-type": "application/json" }),
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
  } catch {
    throw new ApiError(0, "the server does not answer");
  }
}

/** @param {Response} response */
async function refusal(response) {
  const answer = await response.json().catch(() => null);
  return new ApiError(response.status, explain(answer) ?? `the server answered ${response.status}`);
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @returns {Promise<any>} the JSON of the answer
 * @throws {ApiError}
 */
export async function request(method, path, body) {
  const response = await ask(method, path, body);
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

/**
 * The words of an error answer: the service's own, or the first of a validation error.
 *
 * @param {any} answer
 * @returns {string | null}
 */
function explain(answer) {
  const detail = answer?.error?.detail ?? answer?.detail;
  return typeof detail === "string" ? detail : (detail?.[0]?.msg ?? null);
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
export const createSession = (session) => request("POST", "api/sessions", session);

/** @param {string} id */
export const readSession = (id) => request("GET", `api/sessions/${encodeURIComponent(id)}`);

/** @param {string} id */
export const beginCalibration = (id) => request("POST", `api/sessions/${encodeURIComponent(id)}/calibration`);

/** @param {string} id */
export const endSession = (id) => request("DELETE", `api/sessions/${encodeURIComponent(id)}`);
