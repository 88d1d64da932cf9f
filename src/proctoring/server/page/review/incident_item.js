import { dismiss, notify, reasonOf } from "../notices.js";
import { clock, make, moment } from "./elements.js";
import { evidenceFigure } from "./evidence.js";
import { decide, isOpen } from "./records_api.js";

/** @import { RecordedIncident } from "./records_api.js" */

/** @type {Record<string, string | undefined>} */
const VERDICTS = { confirm: "Confirmed", dismiss: "Dismissed", comment: "Comment" };
/** The mildest first; only dismissing needs no reason. */
const DECISIONS = { dismiss: "Dismiss", comment: "Comment", confirm: "Confirm" };
/** Characters of a reason, as the server bounds it. */
const LONGEST_REASON = 4000;

/**
 * One incident as a reviewer decides on it: what was measured, evidence, what was said of it. It is made
 * once and updated in place, so that what a reviewer writes, watches or has focused stays.
 */
export class IncidentItem {
  #incident;
  #sitting;
  #onDecided;
  #title = make("h3", { tabindex: "-1" });
  #reason = make("p", { class: "reason" });
  #measured = make("p", { class: "muted" });
  #evidence = make("div", { class: "evidence" });
  #verdict = make("p", { class: "verdict" });
  #said = make("ul", { class: "muted" });
  /** Decisions that are shown: the server tells the last ones alone. @type {Set<string>} */
  #told = new Set();
  #field;
  #error;
  /** @type {HTMLButtonElement[]} */
  #buttons;
  /** Whether a decision is under way: a second click sends no second one. */
  #busy = false;

  /**
   * @param {string} sitting
   * @param {RecordedIncident} incident
   * @param {{onShow: (incident: RecordedIncident) => void, onDecided: () => Promise<void>}} options
   */
  constructor(sitting, incident, { onShow, onDecided }) {
    this.#sitting = sitting;
    this.#incident = incident;
    this.#onDecided = onDecided;
    const about = `${incident.label} at ${clock(incident.started_at)}`;
    const errorId = `error-${incident.id}`;
    this.#error = make("p", { class: "field-error", id: errorId, role: "alert" });
    this.#field = make("textarea", { rows: "2", maxlength: String(LONGEST_REASON), "aria-describedby": errorId });
    this.#field.addEventListener("input", () => this.#complain(""));
    this.#buttons = Object.entries(DECISIONS).map(([decision, text]) =>
      make("button", {
        type: "button",
        "aria-label": `${text}: ${about}`,
        text,
        onclick: () => void this.#decide(decision),
      }),
    );
    /** What the list shows. */
    this.element = make(
      "li",
      { id: `incident-${incident.id}`, dataset: { kind: incident.kind } },
      this.#title,
      this.#reason,
      this.#measured,
      this.#evidence,
      make("div", {}, this.#verdict, this.#said),
      make(
        "div",
        { class: "decide", role: "group", "aria-label": `Decide on ${about}` },
        make(
          "label",
          {},
          "Reason (not needed to dismiss)",
          make("span", { class: "visually-hidden", text: `: ${about}` }),
          this.#field,
        ),
        this.#error,
        make(
          "div",
          { class: "row" },
          ...this.#buttons,
          make("button", {
            type: "button",
            class: "quiet",
            text: "Show on the timeline",
            "aria-label": `Show on the timeline: ${about}`,
            onclick: () => onShow(this.#incident),
          }),
        ),
      ),
    );
    this.update(incident);
  }

  /** @param {RecordedIncident} incident  the same one, as it is now */
  update(incident) {
    this.#incident = incident;
    const lasted = isOpen(incident) ? "open" : `${incident.duration.toFixed(1)} s`;
    this.element.dataset.severity = incident.severity;
    setText(this.#title, `${incident.label}, at ${clock(incident.started_at)}, ${lasted}`);
    setText(this.#reason, incident.reason);
    setText(
      this.#measured,
      `${incident.severity}; mean confidence of what counted ${Math.round(100 * incident.confidence)}%` +
        (incident.alerted ? "" : "; recorded without alert (quiet time)"),
    );
    this.#addEvidence();
    setText(this.#verdict, VERDICTS[incident.decision ?? ""] ?? "Not decided yet");
    for (const one of incident.decisions) {
      if (this.#told.has(one.id)) continue;
      this.#told.add(one.id);
      const by = one.reviewer ? ` by ${one.reviewer}` : "";
      const why = one.reason ? `: ${one.reason}` : "";
      this.#said.append(make("li", { text: `${VERDICTS[one.decision]}${by}, ${moment(one.decided_at)}${why}` }));
    }
  }

  /** Each piece stays where it is: fetched once, and a clip plays on. */
  #addEvidence() {
    const shown = new Set(
      [...this.#evidence.children].map((figure) => /** @type {HTMLElement} */ (figure).dataset.digest),
    );
    for (const one of this.#incident.evidence ?? []) {
      if (!shown.has(one.digest)) this.#evidence.append(evidenceFigure(one, this.#incident));
    }
  }

  /** @param {string} decision */
  async #decide(decision) {
    const reason = this.#field.value.trim();
    if (!reason && decision !== "dismiss") {
      this.#complain(`Write the reason first: "${DECISIONS[/** @type {"confirm"} */ (decision)]}" needs one.`);
      this.#field.focus();
      return;
    }
    if (this.#busy) return;
    this.#busy = true;
    for (const button of this.#buttons) button.setAttribute("aria-disabled", "true");
    try {
      await decide(this.#sitting, this.#incident.id, { decision, reason });
      this.#field.value = "";
      dismiss("decision");
      await this.#onDecided();
    } catch (error) {
      notify("decision", "error", `The decision may not have been kept: ${reasonOf(error)}.`);
    } finally {
      this.#busy = false;
      for (const button of this.#buttons) button.removeAttribute("aria-disabled");
    }
  }

  /** @param {string} text  why a decision was not sent; "" when there is nothing to say */
  #complain(text) {
    setText(this.#error, text);
    this.#field.setAttribute("aria-invalid", String(text !== ""));
  }
}

/**
 * @param {HTMLElement} element
 * @param {string} text
 */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
