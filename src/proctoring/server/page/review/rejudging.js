import { readPolicies } from "../api.js";
import { element } from "../element.js";
import { reasonOf } from "../notices.js";
import { clock, count, make } from "./elements.js";
import { judgeAgain } from "./records_api.js";

/** @import { RecordedIncident, Rejudgement } from "./records_api.js" */

/** What became of an incident, the incident, and why. @typedef {[change: string, incident: RecordedIncident, why: string]} Difference */

const form = element("again", HTMLFormElement);

/**
 * Judges a session again, under the policy that is chosen in the form.
 *
 * @param {string} id  of the sitting
 * @param {() => number} published  how many incidents were published live
 */
export function prepareRejudging(id, published) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const result = element("again-result");
    try {
      const rejudgement = await judgeAgain(id, String(new FormData(form).get("policy")));
      result.replaceChildren(difference(rejudgement, published()));
    } catch (error) {
      result.replaceChildren(make("p", { text: `This session cannot be judged again: ${reasonOf(error)}.` }));
    }
  });
}

export async function showPolicies() {
  const { policies } = await readPolicies();
  element("again-policy").replaceChildren(...policies.map(({ name }) => make("option", { value: name, text: name })));
}

/**
 * What another policy makes of it: every incident that it adds, drops or judges differently.
 *
 * @param {Rejudgement} rejudgement
 * @param {number} published
 */
function difference({ policy, observations, incident_count, difference: found }, published) {
  const { added, removed, changed, same } = found;
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
    `Under ${policy}: ${count(incident_count, "incident")} instead of ${published}, ` +
    `of ${count(observations, "observation")}. ${found.added_count} added, ${found.removed_count} dropped, ` +
    `${found.changed_count} differ, ${same} stay the same.`;
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
