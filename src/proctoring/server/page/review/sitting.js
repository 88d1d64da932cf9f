import { fetchBlob } from "../api.js";
import { element } from "../element.js";
import { dismiss, notify, reasonOf } from "../notices.js";
import { clock, count, make, moment } from "./elements.js";
import { IncidentList } from "./incident_list.js";
import { downloadPath, readSignals, readSitting, readSummary } from "./records_api.js";
import { prepareRejudging, showPolicies } from "./rejudging.js";
import { drawTimeline, zoomTo } from "./timeline.js";
import { askForToken, prepareToken, tokenAccepted } from "./token_form.js";

/** @import { Signals, SittingDetail } from "./records_api.js" */

/** Of each curve: about one per pixel of a wide screen. */
const POINTS = 2000;
/** How long a downloaded file's address stays valid: the browser has copied it long before. */
const DOWNLOAD_KEPT_MS = 60_000;
/** Pauses between two looks at whether anything changed: while the session is open, and later. */
const LIVE_MS = 3000;
const ENDED_MS = 15_000;
/** Pause between two readings of an open session's curves. */
const SIGNALS_MS = 10_000;

const id = new URLSearchParams(location.search).get("id") ?? "";
const place = element("timeline");
const live = element("live");
const list = new IncidentList(id, { onShow: (incident) => zoomTo(place, incident), onDecided: reload });

/** @type {SittingDetail} */
let detail;
/** @type {Signals} */
let signals = { start: 0, step: 1, curves: {} };
let signalsReadAt = 0;
/** Number of the newest reading: the answer to an older one, if it is late, does not count. */
let newestReading = 0;
let watching = false;

function showFacts() {
  const { sitting, consents } = detail;
  document.title = `${sitting.session_id} - Proctoring`;
  element("title").textContent = sitting.session_id;
  live.hidden = sitting.state !== "open";
  const consent = consents.at(-1);
  const facts = {
    Started: moment(sitting.started_at),
    Ended: sitting.ended_at ? moment(sitting.ended_at) : sitting.state === "open" ? "not yet" : sitting.state,
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
    dismiss("download");
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

async function reload() {
  newestReading += 1;
  const reading = newestReading;
  const found = await readSitting(id);
  if (reading !== newestReading) return;
  detail = found;
  showFacts();
  showSummary();
  list.show(detail.incidents);
  if (detail.next_incident === null) dismiss("incidents");
  else {
    const shown = `The first ${detail.incidents.length} of ${detail.sitting.incidents} incidents are shown.`;
    notify("incidents", "warning", `${shown} The downloads hold all of them.`);
  }
}

async function showSignals() {
  const note = element("signals-note");
  try {
    signalsReadAt = Date.now();
    signals = await readSignals(id, POINTS);
    note.hidden = true;
  } catch (error) {
    note.textContent = `What was measured cannot be shown: ${reasonOf(error)}.`;
    note.hidden = false;
  }
  await drawTimeline(place, detail.incidents, signals, (incident) => list.choose(incident));
}

/** Reads again what changed: new incidents, and what other reviewers decided. */
async function refresh() {
  const before = detail.sitting;
  const now = await readSummary(before);
  const changed = JSON.stringify(now) !== JSON.stringify(before);
  if (changed) await reload();
  const stale = now.state === "open" && Date.now() - signalsReadAt > SIGNALS_MS;
  if (stale || now.state !== before.state || now.last_seq !== before.last_seq) await showSignals();
}

async function watch() {
  watching = true;
  if (!document.hidden) {
    try {
      await refresh();
      dismiss("refresh");
      tokenAccepted("refresh");
    } catch (error) {
      if (!askForToken("refresh", error))
        notify("refresh", "error", `What is shown may be out of date: ${reasonOf(error)}.`);
    }
  }
  setTimeout(watch, detail.sitting.state === "open" ? LIVE_MS : ENDED_MS);
}

async function show() {
  try {
    await reload();
    element("policy").textContent = detail.policy_toml;
    element("policy-name").textContent = `Every limit of ${detail.sitting.policy}`;
    showDownloads();
    await Promise.all([showSignals(), showPolicies()]);
    document.body.dataset.ready = "true";
  } catch (error) {
    if (!askForToken("sitting", error)) notify("sitting", "error", `This session cannot be shown: ${reasonOf(error)}.`);
    return;
  }
  dismiss("sitting");
  tokenAccepted("sitting");
  if (!watching) void watch();
}

prepareRejudging(id, () => detail.incidents.length);
await prepareToken(() => void show());
void show();
