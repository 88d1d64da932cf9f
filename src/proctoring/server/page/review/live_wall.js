import { ApiError } from "../api.js";
import { element } from "../element.js";
import { dismiss, notify, reasonOf } from "../notices.js";
import { count, make } from "./elements.js";
import { cardContent, stateOf, worstFirst } from "./live_card.js";
import { readLive, readSittings } from "./records_api.js";
import { askForToken, tokenAccepted } from "./token_form.js";

/** @import { LiveSession, Sitting } from "./records_api.js" */

/** Pause between two looks at the sessions that run. */
const EVERY_MS = 2000;
/** Sittings that may be open at once; the largest page that the server gives. */
const MOST_OPEN = 500;

const connection = element("connection");
const live = element("live");
const note = element("live-note");
const title = document.title;

/** Cards by session id, kept from one look to the next. @type {Map<string, {card: HTMLElement, shown: string}>} */
const cards = new Map();
/** When the sessions were last read. @type {Date | null} */
let readAt = null;

/** @returns {Promise<{sittings: Sitting[], unread: string}>} the open sittings, or why they are not shown */
async function readOpen() {
  try {
    return { ...(await readSittings({ state: "open", limit: MOST_OPEN })), unread: "Not recorded" };
  } catch (error) {
    const off = error instanceof ApiError && error.code === "records_off";
    return { sittings: [], unread: off ? "Nothing is recorded" : `Its record cannot be read: ${reasonOf(error)}` };
  }
}

async function showLive() {
  const [{ sessions, unreachable_servers: silent }, { sittings, unread }] = await Promise.all([readLive(), readOpen()]);
  const bySession = new Map(sittings.map((sitting) => [sitting.session_id, sitting]));
  const ordered = worstFirst(sessions);
  const shown = ordered.map((session) => update(session, bySession.get(session.session_id), unread));
  for (const id of cards.keys()) if (!sessions.some((session) => session.session_id === id)) cards.delete(id);
  place(shown);
  summarise(sessions, silent);
}

/**
 * Changes what differs alone, so that a person who reads, selects or tabs keeps the place.
 *
 * @param {LiveSession} session
 * @param {Sitting | undefined} sitting
 * @param {string} unread
 */
function update(session, sitting, unread) {
  const id = session.session_id;
  const known = cards.get(id) ?? { card: make("li", { dataset: { session: id } }), shown: "" };
  cards.set(id, known);
  const content = cardContent(session, sitting, unread);
  const text = content.map((part) => part.outerHTML).join("");
  if (text === known.shown) return known.card;
  const focused = known.card.contains(document.activeElement);
  known.shown = text;
  known.card.dataset.state = stateOf(session);
  known.card.replaceChildren(...content);
  if (focused) known.card.querySelector("a")?.focus();
  return known.card;
}

/** @param {HTMLElement[]} shown */
function place(shown) {
  const now = [...live.children];
  if (now.length === shown.length && shown.every((card, index) => card === now[index])) return;
  const focused = /** @type {HTMLElement | null} */ (
    document.activeElement?.closest("#live li") && document.activeElement
  );
  live.replaceChildren(...shown);
  focused?.focus();
}

/**
 * @param {LiveSession[]} sessions
 * @param {number} silent servers that did not answer
 */
function summarise(sessions, silent) {
  const bad = sessions.filter((session) => stateOf(session) === "violation").length;
  element("live-count").textContent = sessions.length ? `(${sessions.length})` : "";
  note.textContent = sessions.length
    ? `${bad ? count(bad, "session") : "No session"} with a violation now`
    : "No session is open.";
  if (silent) note.textContent += ` Incomplete: ${count(silent, "server")} did not answer.`;
  document.title = bad ? `(${bad}) ${title}` : title;
}

export async function watchLive() {
  try {
    await showLive();
    readAt = new Date();
    connection.dataset.state = "open";
    connection.textContent = "Connected";
    live.classList.remove("stale");
    dismiss("live");
    tokenAccepted("live");
  } catch (error) {
    connection.dataset.state = "waiting";
    connection.textContent = "Not connected";
    if (!askForToken("live", error)) notify("live", "error", `The sessions cannot be read: ${reasonOf(error)}.`);
    // What was read before may no longer be so: it must not look like news.
    live.classList.add("stale");
    document.title = `(?) ${title}`;
    note.textContent = readAt
      ? `As of ${readAt.toLocaleTimeString()}: what happens now is not known.`
      : "Which sessions are open is not known.";
  }
  setTimeout(watchLive, EVERY_MS);
}
