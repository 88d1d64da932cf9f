/** The REST interface of what is kept. */

import { request } from "../api.js";

const sittingPath = (id) => `api/records/sittings/${encodeURIComponent(id)}`;

/** Sessions that run now. */
export const readLive = async () => (await request("GET", "api/sessions")).sessions;

/** Sittings that are kept, newest first: `{sittings, next}`. */
export function readSittings(filters = {}) {
  const given = Object.entries(filters).filter(([, value]) => value !== "" && value != null);
  return request("GET", `api/records/sittings?${new URLSearchParams(given)}`);
}

/** One sitting: `{sitting, incidents, consents, policy_toml}`. */
export const readSitting = (id) => request("GET", sittingPath(id));

/** What was measured, for plots. */
export const readSignals = (id, points) => request("GET", `${sittingPath(id)}/signals?points=${points}`);

/** Says what a reviewer thinks of an incident. */
export const decide = (id, incident, decision) =>
  request("POST", `${sittingPath(id)}/incidents/${encodeURIComponent(incident)}/decision`, decision);

/** Judges what was measured under another policy. */
export const judgeAgain = (id, policy) => request("POST", `${sittingPath(id)}/rejudge`, { policy });

/** Path of something to download: `json`, `csv`, `report.html`, `report.pdf`. */
export const downloadPath = (id, name) => `${sittingPath(id)}/${name}`;
