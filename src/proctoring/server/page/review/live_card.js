import { clock, count, make } from "./elements.js";

/** @import { LiveIncident, LiveSession, Severity, Sitting } from "./records_api.js" */

/** How a session is now: the severity of its worst open incident, or how it is without one. @typedef {Severity | "silent" | "well"} LiveState */

/** @type {Record<LiveState, string>} */
const TITLES = {
  violation: "Violation",
  warning: "Warning",
  info: "Notice",
  silent: "No media",
  well: "Nothing open",
};

/** Worst first. */
const ORDER = /** @type {LiveState[]} */ (Object.keys(TITLES));

/**
 * The server lists open incidents worst first. One of them outweighs media that do not arrive.
 *
 * @param {LiveSession} session
 * @returns {LiveState}
 */
export function stateOf(session) {
  const [worst] = session.open_incidents;
  if (worst) return worst.severity;
  return session.video || session.audio ? "well" : "silent";
}

/**
 * Worst first; those alike stay as the server lists them, oldest first.
 *
 * @param {LiveSession[]} sessions
 */
export const worstFirst = (sessions) =>
  [...sessions].sort((one, other) => ORDER.indexOf(stateOf(one)) - ORDER.indexOf(stateOf(other)));

/**
 * What a card shows of one session.
 *
 * @param {LiveSession} session
 * @param {Sitting | undefined} sitting  its record, where it could be read
 * @param {string} unread  why not, otherwise
 */
export function cardContent(session, sitting, unread) {
  const connected = [session.video ? "video" : "no video", session.audio ? "sound" : "no sound"];
  const name = sitting ? make("a", { href: addressOf(sitting), text: session.session_id }) : session.session_id;
  const last = session.last_alert;
  return [
    make("h3", {}, name),
    make("p", { class: "state", text: TITLES[stateOf(session)] }),
    make("p", { class: "muted", text: `${session.policy}, ${clock(session.media_time)}, ${connected.join(", ")}` }),
    make("ul", { class: "open" }, ...session.open_incidents.map(openIncident)),
    make("p", {
      class: "muted",
      text: last ? `Last alert: ${last.label} at ${clock(last.started_at)}` : "No alert yet",
    }),
    make("p", { class: "muted", text: sitting ? toDecide(sitting.undecided) : unread }),
  ];
}

/** @param {number} undecided */
const toDecide = (undecided) => (undecided ? `${count(undecided, "alert")} to decide` : "Nothing to decide");

/** @param {LiveIncident} incident */
const openIncident = ({ label, severity, started_at, reason }) =>
  make("li", { dataset: { severity }, title: reason ?? "", text: `${label} since ${clock(started_at)}` });

/** @param {Sitting} sitting */
export const addressOf = (sitting) => `sitting?id=${encodeURIComponent(sitting.id)}`;
