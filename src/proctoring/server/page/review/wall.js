import { element } from "../element.js";
import { dismiss, notify, reasonOf } from "../notices.js";
import { tokenFragment } from "../token.js";
import { clock, count, make, moment } from "./elements.js";
import { readLive, readSitting, readSittings } from "./records_api.js";
import { askForToken, prepareToken } from "./token_form.js";

/** @import { LiveSession, RecordedIncident, Sitting } from "./records_api.js" */

/** Pause between two looks at the sessions that run. */
const EVERY_MS = 2000;
/** Sittings that may be open at once; the largest page that the server gives. */
const MOST_OPEN = 500;

const connection = element("connection");
const live = element("live");
const rows = element("sittings");
const more = element("more");
const filters = element("filters", HTMLFormElement);

const RANK = { info: 1, warning: 2, violation: 3 };

/** Newest incident of a sitting, read again only when there were events since. @type {Map<string, {seq: number, incident: RecordedIncident | null}>} */
const newest = new Map();

/**
 * @param {Sitting} sitting
 * @returns {Promise<RecordedIncident | null>}
 */
async function newestIncident(sitting) {
  const known = newest.get(sitting.id);
  if (known?.seq === sitting.last_seq) return known.incident;
  const { incidents } = await readSitting(sitting.id);
  const incident = incidents.at(-1) ?? null;
  newest.set(sitting.id, { seq: sitting.last_seq, incident });
  return incident;
}

/**
 * The token goes along in the fragment, which no server and no log gets to see.
 *
 * @param {Sitting} sitting
 */
const addressOf = (sitting) => `sitting?id=${encodeURIComponent(sitting.id)}${tokenFragment()}`;

/**
 * @param {RecordedIncident | null} incident
 * @param {LiveSession} session
 */
function worst(incident, session) {
  if (!session.video && !session.audio) return "silent";
  if (!incident || incident.state === "ended") return "well";
  return RANK[incident.severity] > 1 ? incident.severity : "well";
}

/**
 * @param {LiveSession} session
 * @param {Sitting | undefined} sitting
 * @param {RecordedIncident | null} incident
 */
function card(session, sitting, incident) {
  const connected = [session.video ? "video" : "no video", session.audio ? "sound" : "no sound"];
  const name = sitting ? make("a", { href: addressOf(sitting), text: session.session_id }) : session.session_id;
  const running = session.open_incidents.length ? `running: ${session.open_incidents.join(", ")}` : "nothing runs";
  return make(
    "li",
    { dataset: { session: session.session_id, state: worst(incident, session) } },
    make("h3", {}, name),
    make("p", { class: "muted", text: `${session.policy}, ${clock(session.media_time)}, ${connected.join(", ")}` }),
    make("p", {
      class: "newest",
      text: incident ? `${incident.label} at ${clock(incident.started_at)} (${incident.state})` : "No incident yet",
    }),
    make("p", { class: "muted", text: running }),
    sitting ? make("p", { class: "muted", text: `${count(sitting.undecided, "alert")} to decide` }) : "",
  );
}

async function showLive() {
  const [sessions, { sittings }] = await Promise.all([
    readLive(),
    readSittings({ state: "open", limit: MOST_OPEN }).catch(() => ({ sittings: [] })),
  ]);
  const bySession = new Map(sittings.map((sitting) => [sitting.session_id, sitting]));
  const cards = await Promise.all(
    sessions.map(async (session) => {
      const sitting = bySession.get(session.session_id);
      const incident = sitting ? await newestIncident(sitting).catch(() => null) : null;
      return card(session, sitting, incident);
    }),
  );
  for (const id of newest.keys()) if (!sittings.some((sitting) => sitting.id === id)) newest.delete(id);
  // A person who tabs through the wall keeps the place.
  /** @type {HTMLElement | null} */
  const focusedCard = document.activeElement?.closest("#live li") ?? null;
  const focused = focusedCard?.dataset.session;
  live.replaceChildren(...cards);
  if (focused) focusLink(focused);
  element("live-count").textContent = sessions.length ? `(${sessions.length})` : "";
  element("live-empty").hidden = sessions.length > 0;
}

/** @param {string} session */
function focusLink(session) {
  /** @type {HTMLElement | null} */
  const link = live.querySelector(`li[data-session="${CSS.escape(session)}"] a`);
  link?.focus();
}

async function watchLive() {
  try {
    await showLive();
    connection.dataset.state = "open";
    connection.textContent = "Connected";
    dismiss("live");
  } catch (error) {
    connection.dataset.state = "waiting";
    connection.textContent = "Reconnecting";
    askForToken(error);
    notify("live", "error", `The sessions cannot be read: ${reasonOf(error)}.`);
  }
  setTimeout(watchLive, EVERY_MS);
}

/** @param {Sitting} sitting */
function row(sitting) {
  /** @param {string | number} value */
  const number = (value) => make("td", { class: "number", text: value });
  return make(
    "tr",
    { dataset: { sitting: sitting.id } },
    make("td", { class: "name" }, make("a", { href: addressOf(sitting), text: sitting.session_id })),
    make("td", { text: moment(sitting.started_at) }),
    make("td", { text: sitting.state }),
    make("td", { text: sitting.policy }),
    number(clock(sitting.media_time)),
    number(sitting.violations),
    number(sitting.alerts),
    number(sitting.undecided),
  );
}

/** @param {string} [before]  `next` of the page before */
async function showSittings(before = "") {
  const chosen = new FormData(filters);
  try {
    const page = await readSittings({
      session_id: textOf(chosen, "session_id"),
      state: textOf(chosen, "state"),
      undecided: chosen.get("undecided") ? "true" : "",
      before,
    });
    const found = page.sittings.map(row);
    if (before) rows.append(...found);
    else rows.replaceChildren(...found);
    element("sittings-empty").hidden = rows.children.length > 0;
    const { next } = page;
    more.hidden = !next;
    more.onclick = () => void showSittings(next ?? "");
    dismiss("kept");
  } catch (error) {
    askForToken(error);
    notify("kept", "error", `The kept sessions cannot be read: ${reasonOf(error)}.`);
  }
}

/**
 * @param {FormData} form
 * @param {string} name
 */
const textOf = (form, name) => String(form.get(name) ?? "").trim();

filters.addEventListener("submit", (event) => {
  event.preventDefault();
  void showSittings();
});
prepareToken(() => void showSittings());
void watchLive();
void showSittings();
