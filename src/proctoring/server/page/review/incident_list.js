import { element } from "../element.js";
import { IncidentItem } from "./incident_item.js";

/** @import { RecordedIncident } from "./records_api.js" */

const list = element("incidents");
const onlyUndecided = element("only-undecided", HTMLInputElement);
const onlyAlerts = element("only-alerts", HTMLInputElement);

/** A session's incidents, as far as the two boxes let them be shown. */
export class IncidentList {
  #sitting;
  #onShow;
  #onDecided;
  /** @type {RecordedIncident[]} */
  #incidents = [];
  /** Items by id of the incident, each made once. @type {Map<string, IncidentItem>} */
  #items = new Map();
  /** Decided since the boxes were last changed: they stay where the reviewer works. @type {Set<string>} */
  #stay = new Set();

  /**
   * @param {string} sitting
   * @param {{onShow: (incident: RecordedIncident) => void, onDecided: () => Promise<void>}} options
   */
  constructor(sitting, { onShow, onDecided }) {
    this.#sitting = sitting;
    this.#onShow = onShow;
    this.#onDecided = onDecided;
    for (const box of [onlyUndecided, onlyAlerts]) {
      box.addEventListener("change", () => {
        this.#stay.clear();
        this.#filter();
      });
    }
  }

  /** @param {RecordedIncident[]} incidents  all of them, in their order */
  show(incidents) {
    this.#incidents = incidents;
    incidents.forEach((incident, index) => {
      const known = this.#items.get(incident.id);
      if (known) known.update(incident);
      else list.insertBefore(this.#made(incident).element, list.children[index] ?? null);
    });
    this.#filter();
  }

  /** @param {string} id  the incident to bring into view */
  choose(id) {
    onlyUndecided.checked = onlyAlerts.checked = false;
    this.#filter();
    const item = this.#items.get(id)?.element;
    item?.scrollIntoView({ block: "center" });
    item?.querySelector("h3")?.focus({ preventScroll: true });
  }

  /** @param {RecordedIncident} incident */
  #made(incident) {
    const { id } = incident;
    const item = new IncidentItem(this.#sitting, incident, {
      onShow: this.#onShow,
      onDecided: () => {
        this.#stay.add(id);
        return this.#onDecided();
      },
    });
    this.#items.set(id, item);
    return item;
  }

  #filter() {
    let shown = 0;
    for (const incident of this.#incidents) {
      const fits = (!onlyAlerts.checked || incident.alerted) && (!onlyUndecided.checked || incident.decision === null);
      const item = this.#items.get(incident.id);
      if (!item) continue;
      item.element.hidden = !fits && !this.#stay.has(incident.id);
      if (!item.element.hidden) shown += 1;
    }
    element("incident-count").textContent = `(${shown} of ${this.#incidents.length})`;
    element("incidents-empty").hidden = shown > 0;
  }
}
