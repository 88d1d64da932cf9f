import { copyOf, descendant, element } from "./element.js";

/** The list of incidents, as the events report them. */

/**
 * An incident as a message reports it.
 *
 * @typedef {object} Incident
 * @property {string} id
 * @property {string} kind
 * @property {string} label
 * @property {"started" | "updated" | "ended"} state
 * @property {"violation" | "warning" | "info"} severity
 * @property {number} started_at  media time, seconds
 * @property {number} duration  seconds
 * @property {string} reason
 */

/**
 * @typedef {{time: string, media_time: number, incidents: Incident[]}} IncidentMessage
 * @typedef {{
 *   element: HTMLElement, incident: Incident, state: "ongoing" | "ended" | "interrupted", duration: number,
 * }} Item
 */

/** Older ones leave the list (never the record): a page stays open for hours. */
const MOST_SHOWN = 200;
/** Lines that are kept for screen readers. */
const MOST_ANNOUNCED = 5;
/** Seconds of media time between two updates of running durations, which show tenths. */
const DURATION_STEP = 0.1;

const SEVERITIES = { violation: "Violation", warning: "Warning", info: "Info" };
const STATES = { ongoing: "ongoing", ended: "ended", interrupted: "interrupted" };

const list = element("incidents");
const template = element("incident-template", HTMLTemplateElement);
const announcer = element("announcer");
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/**
 * Media time as people read it: 93.4 -> "1:33.4".
 *
 * @param {number} seconds
 */
export function formatOffset(seconds) {
  const tenths = Math.max(0, Math.round(seconds * 10));
  const minutes = Math.floor(tenths / 600);
  return `${minutes}:${String(Math.floor(tenths / 10) % 60).padStart(2, "0")}.${tenths % 10}`;
}

export class Incidents {
  /** @type {Map<string, Item>} */
  #items = new Map();
  #counts = { violation: 0, warning: 0, info: 0 };
  #mediaTime = 0;

  /**
   * Takes one message of the events socket.
   *
   * @param {IncidentMessage} event
   */
  receive(event) {
    for (const incident of event.incidents) {
      const known = this.#items.get(incident.id);
      const item = known ?? this.#add(incident, event);
      const before = item.state;
      item.incident = incident;
      item.state = incident.state === "ended" ? "ended" : "ongoing";
      item.duration = incident.duration;
      this.#show(item);
      if (!known) this.#announce(`${SEVERITIES[incident.severity]}: ${incident.label}. ${incident.reason}`);
      else if (item.state === "ended" && before !== "ended") this.#announce(`Ended: ${incident.label}`);
    }
    this.#showCounts();
  }

  /**
   * Media time goes on: incidents that last grow longer.
   *
   * @param {number} mediaTime  seconds
   */
  advance(mediaTime) {
    if (mediaTime - this.#mediaTime < DURATION_STEP && mediaTime >= this.#mediaTime) return;
    this.#mediaTime = mediaTime;
    for (const item of this.#items.values()) {
      if (item.state !== "ongoing") continue;
      item.duration = Math.max(item.duration, mediaTime - item.incident.started_at);
      this.#showDuration(item);
    }
  }

  /** The session was lost on the server: what was ongoing has no known end. */
  interrupt() {
    this.#mediaTime = 0;
    for (const item of this.#items.values()) {
      if (item.state !== "ongoing") continue;
      item.state = "interrupted";
      this.#show(item);
    }
  }

  clear() {
    this.#items.clear();
    this.#counts = { violation: 0, warning: 0, info: 0 };
    this.#mediaTime = 0;
    list.replaceChildren();
    announcer.replaceChildren();
    this.#showCounts();
  }

  /**
   * @param {Incident} incident
   * @param {IncidentMessage} event
   */
  #add(incident, event) {
    const entry = copyOf(template);
    const started = new Date(Date.parse(event.time) - (event.media_time - incident.started_at) * 1000);
    const time = descendant(entry, "time", HTMLTimeElement);
    time.dateTime = started.toISOString();
    time.textContent = clock.format(started);
    descendant(entry, ".offset").textContent = `at ${formatOffset(incident.started_at)}`;
    /** @type {Item} */
    const item = { element: entry, incident, state: "ongoing", duration: incident.duration };
    this.#items.set(incident.id, item);
    this.#counts[incident.severity] += 1;
    list.prepend(entry);
    if (this.#items.size > MOST_SHOWN) {
      const [[id, oldest]] = /** @type {[[string, Item]]} */ ([...this.#items].slice(0, 1));
      oldest.element.remove();
      this.#items.delete(id);
    }
    return item;
  }

  /** @param {Item} item */
  #show(item) {
    const { element: entry, incident, state } = item;
    entry.dataset.severity = incident.severity;
    entry.dataset.kind = incident.kind;
    entry.dataset.state = state;
    descendant(entry, ".severity").textContent = SEVERITIES[incident.severity];
    descendant(entry, ".label").textContent = incident.label;
    descendant(entry, ".state").textContent = STATES[state];
    descendant(entry, ".reason").textContent = incident.reason;
    this.#showDuration(item);
  }

  /** @param {Item} item */
  #showDuration({ element: entry, duration }) {
    descendant(entry, ".duration").textContent = `${duration.toFixed(1)} s`;
  }

  #showCounts() {
    /** @type {[Incident["severity"], string, string][]} */
    const words = [
      ["violation", "violation", "violations"],
      ["warning", "warning", "warnings"],
      ["info", "info", "infos"],
    ];
    element("incidents-empty").hidden = this.#items.size > 0;
    element("incident-counts").textContent = words
      .filter(([severity]) => this.#counts[severity])
      .map(([severity, one, many]) => {
        const count = this.#counts[severity];
        return `${count} ${count === 1 ? one : many}`;
      })
      .join(", ");
  }

  /** @param {string} text */
  #announce(text) {
    const line = document.createElement("p");
    line.textContent = text;
    announcer.append(line);
    while (announcer.children.length > MOST_ANNOUNCED) announcer.firstElementChild?.remove();
  }
}
