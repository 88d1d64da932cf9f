import { notify, reasonOf } from "../notices.js";
import { clock, make, moment } from "./elements.js";
import { evidenceFigures } from "./evidence.js";
import { decide } from "./records_api.js";

/** @import { RecordedIncident } from "./records_api.js" */

/** @type {Record<string, string | undefined>} */
const VERDICTS = { confirm: "Confirmed", dismiss: "Dismissed", comment: "Comment" };

/**
 * One incident as a reviewer decides on it: what was measured, evidence, what was said of it.
 *
 * @param {string} sitting
 * @param {RecordedIncident} incident
 * @param {{onShow: () => void, onDecided: (id: string) => Promise<void>}} options
 */
export function incidentItem(sitting, incident, { onShow, onDecided }) {
  const running = ["started", "updated"].includes(incident.state) ? ", runs" : "";
  const times = `${clock(incident.started_at)}, ${incident.duration.toFixed(1)} s${running}`;
  return make(
    "li",
    { id: `incident-${incident.id}`, dataset: { severity: incident.severity, kind: incident.kind } },
    make("h3", { tabindex: "-1", text: `${incident.label}, at ${times}` }),
    make("p", { class: "reason", text: incident.reason }),
    make("p", {
      class: "muted",
      text:
        `${incident.severity}; mean confidence of what counted ${Math.round(100 * incident.confidence)}%` +
        (incident.alerted ? "" : "; recorded without alert (quiet time)"),
    }),
    make("div", { class: "evidence" }, ...evidenceFigures(incident)),
    verdict(incident),
    decisionForm(sitting, incident, onDecided),
    make(
      "p",
      {},
      make("button", {
        type: "button",
        text: "Show on the timeline",
        "aria-label": `Show on the timeline: ${aboutOf(incident)}`,
        onclick: onShow,
      }),
    ),
  );
}

/** @param {RecordedIncident} incident */
function verdict(incident) {
  const said = incident.decisions.map((one) =>
    make("li", {
      text: `${VERDICTS[one.decision]}${one.reviewer ? ` by ${one.reviewer}` : ""}, ${moment(one.decided_at)}${one.reason ? `: ${one.reason}` : ""}`,
    }),
  );
  return make(
    "div",
    {},
    make("p", { class: "verdict", text: VERDICTS[incident.decision ?? ""] ?? "Not decided yet" }),
    make("ul", { class: "muted" }, ...said),
  );
}

/**
 * Which one, for those who hear a button without what stands around it.
 *
 * @param {RecordedIncident} incident
 */
const aboutOf = (incident) => `${incident.label} at ${clock(incident.started_at)}`;

/**
 * @param {string} sitting
 * @param {RecordedIncident} incident
 * @param {(id: string) => Promise<void>} onDecided
 */
function decisionForm(sitting, incident, onDecided) {
  const about = aboutOf(incident);
  const field = make("input", { type: "text", name: "reason", maxlength: "2000", autocomplete: "off", required: true });
  const buttons = Object.entries({ confirm: "Confirm", dismiss: "Dismiss", comment: "Comment" }).map(
    ([decision, text]) =>
      make("button", { type: "submit", name: "decision", value: decision, "aria-label": `${text}: ${about}`, text }),
  );
  return make(
    "form",
    {
      async onsubmit(event) {
        event.preventDefault();
        const button = /** @type {HTMLButtonElement} */ (event.submitter);
        try {
          await decide(sitting, incident.id, { decision: button.value, reason: field.value });
          await onDecided(incident.id);
        } catch (error) {
          notify("decision", "error", `The decision was not kept: ${reasonOf(error)}.`);
        }
      },
    },
    make("label", {}, "Reason", make("span", { class: "visually-hidden", text: `: ${about}` }), field),
    ...buttons,
  );
}
