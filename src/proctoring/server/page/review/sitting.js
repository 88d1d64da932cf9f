import { fetchBlob, readPolicies } from "../api.js";
import { element } from "../element.js";
import { dismiss, notify, reasonOf } from "../notices.js";
import { tokenFragment } from "../token.js";
import { clock, count, make, moment } from "./elements.js";
import { incidentItem } from "./incident_item.js";
import { downloadPath, judgeAgain, readSignals, readSitting } from "./records_api.js";
import { drawTimeline, zoomTo } from "./timeline.js";
import { askForToken, prepareToken } from "./token_form.js";

/** @import { RecordedIncident, Rejudgement, Signals, SittingDetail } from "./records_api.js" */

/** Of each curve: about one per pixel of a wide screen. */
const POINTS = 2000;
/** How long a downloaded file's address stays valid: the browser has copied it long before. */
const DOWNLOAD_KEPT_MS = 60_000;

const id = new URLSearchParams(location.search).get("id") ?? "";
const place = element("timeline");
const list = element("incidents");
const onlyUndecided = element("only-undecided", HTMLInputElement);
const onlyAlerts = element("only-alerts", HTMLInputElement);
const again = element("again", HTMLFormElement);

/** @type {SittingDetail} */
let detail;
/** @type {Signals} */
let signals = { start: 0, step: 1, curves: {} };

function showFacts() {
  const { sitting, consents } = detail;
  document.title = `${sitting.session_id} - Proctoring`;
  element("title").textContent = sitting.session_id;
  const consent = consents.at(-1);
  const facts = {
    Started: moment(sitting.started_at),
    Ended: sitting.ended_at ? moment(sitting.ended_at) : sitting.state,
    Length: clock(sitting.media_time),
    Policy: sitting.policy,
    Alerts: sitting.alerts,
    "To decide": sitting.undecided,
    Consent: consent ? `${consent.granted ? "given" : "taken back"}, ${moment(consent.given_at)}` : "none recorded",
    "Signals lost": sitting.signals_lost || "none",
    Seal: sitting.seal ? "sealed" : "not yet",
  };
  element("facts").replaceChildren(
    ...Object.entries(facts).map(([name, value]) =>
      make("div", {}, make("dt", { text: name }), make("dd", { text: value })),
    ),
  );
}

function showDownloads() {
  const files = {
    "Report to print (HTML)": "report.html",
    "Report (PDF)": "report.pdf",
    "Everything (JSON)": "json",
    "Incidents (CSV)": "csv",
  };
  element("downloads").replaceChildren(
    ...Object.entries(files).map(([text, name]) =>
      make("button", { type: "button", text, onclick: () => void download(name) }),
    ),
  );
}

/**
 * Fetched by this page, which may: a plain link would carry no token.
 *
 * @param {string} name
 */
async function download(name) {
  try {
    const url = URL.createObjectURL(await fetchBlob(downloadPath(id, name)));
    const file = `${detail.sitting.session_id}.${name}`.replaceAll(":", "-");
    make("a", { href: url, download: file }).click();
    setTimeout(() => URL.revokeObjectURL(url), DOWNLOAD_KEPT_MS);
  } catch (error) {
    notify("download", "error", `The file cannot be had: ${reasonOf(error)}.`);
  }
}

/** What counted, how much: no score, only sums that can be followed. */
function showSummary() {
  const kinds = new Map();
  for (const incident of detail.incidents) {
    const sum = kinds.get(incident.label) ?? { times: 0, seconds: 0 };
    sum.times += 1;
    sum.seconds += incident.duration;
    kinds.set(incident.label, sum);
  }
  const parts = [...kinds].map(
    ([label, sum]) => `${label}: ${count(sum.times, "time")}, ${sum.seconds.toFixed(1)} s in all`,
  );
  element("summary").textContent = parts.join("; ");
}

function showIncidents() {
  const shown = detail.incidents.filter(
    (incident) => (!onlyAlerts.checked || incident.alerted) && (!onlyUndecided.checked || incident.decision === null),
  );
  element("incident-count").textContent = `(${shown.length} of ${detail.incidents.length})`;
  element("incidents-empty").hidden = shown.length > 0;
  list.replaceChildren(
    ...shown.map((incident) =>
      incidentItem(id, incident, { onShow: () => zoomTo(place, incident), onDecided: reload }),
    ),
  );
}

/** @param {string} incidentId */
function chooseIncident(incidentId) {
  onlyUndecided.checked = onlyAlerts.checked = false;
  showIncidents();
  const item = document.getElementById(`incident-${incidentId}`);
  item?.scrollIntoView({ block: "center" });
  item?.querySelector("h3")?.focus();
}

/** @param {string} [focusId]  the incident to go on with */
async function reload(focusId) {
  detail = await readSitting(id);
  showFacts();
  showSummary();
  showIncidents();
  if (focusId) document.getElementById(`incident-${focusId}`)?.querySelector("h3")?.focus();
}

/** What became of an incident, the incident, and why. @typedef {[change: string, incident: RecordedIncident, why: string]} Difference */

/**
 * What another policy makes of it: every incident that it adds, drops or judges differently.
 *
 * @param {Rejudgement} rejudgement
 */
function difference({ policy, observations, incidents, difference: { added, removed, changed, same } }) {
  /** @type {Difference[]} */
  const rows = [
    ...added.map((incident) => /** @type {Difference} */ (["added", incident, incident.reason])),
    ...removed.map((incident) => /** @type {Difference} */ (["dropped", incident, incident.reason])),
    ...changed.map(
      ({ before, after }) =>
        /** @type {Difference} */ ([
          "differs",
          after,
          `${after.reason} (before: ${before.severity}, ${before.alerted ? "alerted" : "without alert"}, ${before.reason})`,
        ]),
    ),
  ].sort((one, other) => one[1].started_at - other[1].started_at);
  const summary =
    `Under ${policy}: ${count(incidents.length, "incident")} instead of ${detail.incidents.length}, ` +
    `of ${count(observations, "observation")}. ${added.length} added, ${removed.length} dropped, ` +
    `${changed.length} differ, ${same} stay the same.`;
  if (!rows.length) return make("p", { text: summary });
  const head = ["Change", "At", "Incident", "Lasted", "Why"].map((text) => make("th", { scope: "col", text }));
  return make(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": "What differs" },
    make("p", { text: summary }),
    make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows.map(differenceRow))),
  );
}

/** @param {Difference} difference */
function differenceRow([what, incident, why]) {
  return make(
    "tr",
    { dataset: { change: what } },
    make("th", { scope: "row", text: what }),
    make("td", { text: clock(incident.started_at) }),
    make("td", { text: incident.label }),
    make("td", { class: "number", text: `${incident.duration.toFixed(1)} s` }),
    make("td", { text: why }),
  );
}

again.addEventListener("submit", async (event) => {
  event.preventDefault();
  const result = element("again-result");
  try {
    result.replaceChildren(difference(await judgeAgain(id, String(new FormData(again).get("policy")))));
  } catch (error) {
    result.replaceChildren(make("p", { text: `This session cannot be judged again: ${reasonOf(error)}.` }));
  }
});
for (const box of [onlyUndecided, onlyAlerts]) box.addEventListener("change", showIncidents);

async function showSignals() {
  const note = element("signals-note");
  try {
    signals = await readSignals(id, POINTS);
  } catch (error) {
    note.textContent = `What was measured cannot be shown: ${reasonOf(error)}.`;
    note.hidden = false;
  }
  await drawTimeline(place, detail.incidents, signals, chooseIncident);
}

async function showPolicies() {
  const { policies } = await readPolicies();
  element("again-policy").replaceChildren(...policies.map(({ name }) => make("option", { value: name, text: name })));
}

async function show() {
  try {
    await reload();
    element("policy").textContent = detail.policy_toml;
    element("policy-name").textContent = `Every limit of ${detail.sitting.policy}`;
    element("all", HTMLAnchorElement).href = `review${tokenFragment()}`;
    showDownloads();
    await Promise.all([showSignals(), showPolicies()]);
    document.body.dataset.ready = "true";
  } catch (error) {
    askForToken(error);
    notify("sitting", "error", `This session cannot be shown: ${reasonOf(error)}.`);
    return;
  }
  dismiss("sitting");
}

prepareToken(() => void show());
void show();
