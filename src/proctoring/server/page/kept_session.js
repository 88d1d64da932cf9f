/** The session of this tab, kept over a reload of the page: until it ends, or the tab is closed. */

/** @import { SessionRequest } from "./api.js" */

/** @typedef {{session: SessionRequest, source: "camera" | "recording", running: boolean}} KeptSession */

const KEY = "proctoring.session";

/** @param {KeptSession} kept */
export function keepSession(kept) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // The browser stores nothing for this page: a reload begins another session.
  }
}

export function forgetSession() {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Then nothing was stored either.
  }
}

/**
 * The session that this tab had before the page was loaded again.
 *
 * @returns {KeptSession | null}
 */
export function keptSession() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    return typeof kept?.session?.session_id === "string" ? kept : null;
  } catch {
    return null;
  }
}
