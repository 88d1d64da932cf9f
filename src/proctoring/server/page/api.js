import { authorisation } from "./token.js";

/** The server's REST interface, as far as this page uses it. */

const TIMEOUT_MS = 5000;

/** An answer that is not what was asked for. `status` is 0 when no answer came at all. */
export class ApiError extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** Address of something on this page's own server, or another; works below a path prefix, too. */
export function address(path, server = document.baseURI) {
  return new URL(path, server);
}

/** Address of one of a session's sockets: `socketAddress("exam-7", "events", { after: 17 })`. */
export function socketAddress(sessionId, name, query, server) {
  const url = address(`ws/proctor/${encodeURIComponent(sessionId)}/${name}`, server);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.search = new URLSearchParams(query).toString();
  return url;
}

async function ask(method, path, body) {
  try {
    return await fetch(address(path), {
      method,
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        ...authorisation(),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new ApiError(0, "the server does not answer");
  }
}

async function refusal(response) {
  const answer = await response.json().catch(() => null);
  return new ApiError(response.status, explain(answer) ?? `the server answered ${response.status}`);
}

/** @returns the JSON of the answer */
export async function request(method, path, body) {
  const response = await ask(method, path, body);
  if (!response.ok) throw await refusal(response);
  return response.json();
}

/** What lies at a path, whatever it is. */
export async function fetchBlob(path) {
  const response = await ask("GET", path);
  if (!response.ok) throw await refusal(response);
  return response.blob();
}

function explain(answer) {
  const detail = answer?.error?.detail ?? answer?.detail;
  return typeof detail === "string" ? detail : (detail?.[0]?.msg ?? null);
}

/** `{status, access, version, capabilities}`; `{status, access}` where a token is asked for and there is none */
export const readHealth = () => request("GET", "api/health");

/** The policies a session may be created with. */
export const readPolicies = () => request("GET", "api/policies");

export const createSession = (session) => request("POST", "api/sessions", session);

export const readSession = (id) => request("GET", `api/sessions/${encodeURIComponent(id)}`);

export const beginCalibration = (id) => request("POST", `api/sessions/${encodeURIComponent(id)}/calibration`);

export const endSession = (id) => request("DELETE", `api/sessions/${encodeURIComponent(id)}`);
