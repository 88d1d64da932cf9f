/** The list of incidents, as the events tell of them. */

/** Older ones leave the list (never the record): a page stays open for hours. */
const MOST_SHOWN = 200;
const MOST_ANNOUNCED = 5;

const SEVERITIES = { violation: "Violation", warning: "Warning", info: "Info" };
const STATES = { ongoing: "ongoing", ended: "ended", interrupted: "interrupted" };

const list = document.getElementById("incidents");
const template = document.getElementById("incident-template");
const announcer = document.getElementById("announcer");
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** Media time as people read it: 93.4 -> "1:33.4". */
export function formatOffset(seconds) {
  const tenths = Math.max(0, Math.round(seconds * 10));
  const minutes = Math.floor(tenths / 600);
  return `${minutes}:${String(Math.floor(tenths / 10) % 60).padStart(2, "0")}.${tenths % 10}`;
}

export class Incidents {
  #items = new Map();
  #counts = { violation: 0, warning: 0, info: 0 };
  #mediaTime = 0;

  /** Takes one message of the events socket. */
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

  /** Media time goes on: incidents that last grow longer. */
  advance(mediaTime) {
    if (mediaTime - this.#mediaTime < 0.1 && mediaTime >= this.#mediaTime) return;
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

  #add(incident, event) {
    const element = template.content.firstElementChild.cloneNode(true);
    const started = new Date(Date.parse(event.time) - (event.media_time - incident.started_at) * 1000);
    const time = element.querySelector("time");
    time.dateTime = started.toISOString();
    time.textContent = clock.format(started);
    element.querySelector(".offset").textContent = `at ${formatOffset(incident.started_at)}`;
    const item = { element, incident, state: "ongoing", duration: incident.duration };
    this.#items.set(incident.id, item);
    this.#counts[incident.severity] += 1;
    list.prepend(element);
    if (this.#items.size > MOST_SHOWN) {
      const [oldest] = this.#items.keys();
      this.#items.get(oldest).element.remove();
      this.#items.delete(oldest);
    }
    return item;
  }

  #show(item) {
    const { element, incident, state } = item;
    element.dataset.severity = incident.severity;
    element.dataset.kind = incident.kind;
    element.dataset.state = state;
    element.querySelector(".severity").textContent = SEVERITIES[incident.severity];
    element.querySelector(".label").textContent = incident.label;
    element.querySelector(".state").textContent = STATES[state];
    element.querySelector(".reason").textContent = incident.reason;
    this.#showDuration(item);
  }

  #showDuration({ element, duration }) {
    element.querySelector(".duration").textContent = `${duration.toFixed(1)} s`;
  }

  #showCounts() {
    const words = [
      ["violation", "violation", "violations"],
      ["warning", "warning", "warnings"],
      ["info", "info", "infos"],
    ];
    document.getElementById("incidents-empty").hidden = this.#items.size > 0;
    document.getElementById("incident-counts").textContent = words
      .filter(([severity]) => this.#counts[severity])
      .map(([severity, one, many]) => {
        const count = this.#counts[severity];
        return `${count} ${count === 1 ? one : many}`;
      })
      .join(", ");
  }

  #announce(text) {
    const line = document.createElement("p");
    line.textContent = text;
    announcer.append(line);
    while (announcer.children.length > MOST_ANNOUNCED) announcer.firstElementChild.remove();
  }
}
