/** The REST interface of what is kept. */

import { request, searchOf } from "../api.js";

/**
 * A session that runs now.
 *
 * @typedef {object} LiveSession
 * @property {string} session_id
 * @property {string} policy
 * @property {number | null} media_time  seconds
 * @property {boolean} video  whether its video socket is open
 * @property {boolean} audio
 * @property {LiveIncident[]} open_incidents  worst first
 * @property {LiveIncident | null} last_alert
 */

/** @typedef {"violation" | "warning" | "info"} Severity */
/** @typedef {{kind: string, label: string, severity: Severity, started_at: number, reason?: string}} LiveIncident */

/**
 * The record of one session from start to end.
 *
 * @typedef {object} Sitting
 * @property {string} id
 * @property {string} session_id
 * @property {string} state
 * @property {string} policy
 * @property {string} started_at  ISO 8601
 * @property {string | null} ended_at
 * @property {number} media_time  seconds
 * @property {number} last_seq  of its events
 * @property {number} incidents  how many
 * @property {number} violations
 * @property {number} alerts
 * @property {number} undecided  alerts that await a decision
 * @property {number} signals_lost
 * @property {string | null} seal
 */

/** @typedef {{id: string, decision: string, reason: string | null, reviewer: string | null, decided_at: string}} Decision */
/** @typedef {{digest: string, media_type: string, url: string, start: number}} Evidence */

/**
 * An incident as it was recorded.
 *
 * @typedef {object} RecordedIncident
 * @property {string} id
 * @property {string} kind
 * @property {string} label
 * @property {string} state
 * @property {Severity} severity
 * @property {number} confidence
 * @property {number} started_at  media time, seconds
 * @property {number} duration
 * @property {string} reason
 * @property {boolean} alerted
 * @property {string | null} decision
 * @property {Decision[]} decisions
 * @property {Evidence[]} [evidence]
 */

/**
 * @typedef {object} SittingDetail
 * @property {Sitting} sitting
 * @property {RecordedIncident[]} incidents
 * @property {{granted: boolean, given_at: string}[]} consents
 * @property {string} policy_toml
 * @property {number | null} next_incident  where the next page of incidents starts
 */

/** Averages over steps of media time, by signal. @typedef {{start: number, step: number, curves: Record<string, {mean: (number | null)[]}>}} Signals */

/**
 * What another policy makes of the same measurements.
 *
 * @typedef {object} Rejudgement
 * @property {string} policy
 * @property {number} observations
 * @property {number} incident_count
 * @property {RecordedIncident[]} incidents  the first of them
 * @property {{
 *   added: RecordedIncident[],
 *   removed: RecordedIncident[],
 *   changed: {before: RecordedIncident, after: RecordedIncident}[],
 *   same: number,
 *   added_count: number,
 *   removed_count: number,
 *   changed_count: number,
 * }} difference
 */

/** Whether it still runs: its duration then reaches to its last change only. @param {RecordedIncident} incident */
export const isOpen = ({ state }) => state === "started" || state === "updated";

/** Incidents that a page shows; all of them are in the files that it offers. */
const MOST_INCIDENTS = 3000;

/** @param {string} id */
const sittingPath = (id) => `api/records/sittings/${encodeURIComponent(id)}`;

/**
 * Sessions that run now.
 *
 * @returns {Promise<{sessions: LiveSession[], unreachable_servers: number}>}
 */
export const readLive = () => request("GET", "api/sessions");

/**
 * Sittings that are kept, newest first.
 *
 * @param {Record<string, string | number>} [filters]  those that are "" do not count
 * @returns {Promise<{sittings: Sitting[], next: string | null}>}
 */
export function readSittings(filters = {}) {
  const given = Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== ""));
  return request("GET", `api/records/sittings?${searchOf(given)}`);
}

/**
 * One sitting with its first incidents, read in pages.
 *
 * @param {string} id
 * @returns {Promise<SittingDetail>}
 */
export async function readSitting(id) {
  const detail = await request("GET", sittingPath(id));
  while (detail.next_incident !== null && detail.incidents.length < MOST_INCIDENTS) {
    const page = await request("GET", `${sittingPath(id)}?after=${detail.next_incident}&limit=1000`);
    detail.incidents.push(...page.incidents);
    detail.next_incident = page.next_incident;
  }
  return detail;
}

/**
 * The same line of the list of sittings as it is now: much less than the whole sitting.
 *
 * @param {Sitting} sitting
 * @returns {Promise<Sitting>}
 */
export async function readSummary({ id, session_id }) {
  const { sittings } = await readSittings({ session_id });
  return sittings.find((sitting) => sitting.id === id) ?? (await readSitting(id)).sitting;
}

/** What was measured, for plots. @type {(id: string, points: number) => Promise<Signals>} */
export const readSignals = (id, points) => request("GET", `${sittingPath(id)}/signals?points=${points}`);

/**
 * Records what a reviewer thinks of an incident.
 *
 * @param {string} id  of the sitting
 * @param {string} incident
 * @param {{decision: string, reason: string}} decision
 */
export const decide = (id, incident, decision) =>
  request("POST", `${sittingPath(id)}/incidents/${encodeURIComponent(incident)}/decision`, decision);

/** Judges what was measured under another policy. @type {(id: string, policy: string) => Promise<Rejudgement>} */
export const judgeAgain = (id, policy) => request("POST", `${sittingPath(id)}/rejudge`, { policy });

/**
 * Path of something to download.
 *
 * @param {string} id  of the sitting
 * @param {string} name  `json`, `csv`, `report.html`, `report.pdf`
 */
export const downloadPath = (id, name) => `${sittingPath(id)}/${name}`;
