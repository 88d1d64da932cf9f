/** What the newest observation says, in words. */

const SHOWN_EVERY_MS = 250;
/** Objects are looked for about once a second: keep what was found until the next look. */
const OBJECTS_KEPT_MS = 2500;

const field = (name) => document.getElementById(`reading-${name}`);

/** Degrees towards the candidate's own side: `direction(-12.4, "left", "right")` is "12° right". */
function direction(degrees, positive, negative) {
  const rounded = Math.round(degrees);
  if (rounded === 0) return null;
  return `${Math.abs(rounded)}° ${rounded > 0 ? positive : negative}`;
}

/** @param {{yaw: number, pitch: number, roll?: number} | null} angles */
export function describeAngles(angles) {
  if (!angles) return "–";
  const parts = [
    direction(angles.yaw, "left", "right"),
    direction(angles.pitch, "up", "down"),
    angles.roll === undefined ? null : direction(angles.roll, "tilted left", "tilted right"),
  ].filter(Boolean);
  return parts.join(", ") || "straight ahead";
}

export class Readings {
  #shownAt = 0;
  #objects = null;
  #objectsAt = 0;

  show(observation) {
    const now = performance.now();
    if (observation.objects) {
      this.#objects = observation.objects;
      this.#objectsAt = now;
    } else if (now - this.#objectsAt > OBJECTS_KEPT_MS) {
      this.#objects = null;
    }
    if (now - this.#shownAt < SHOWN_EVERY_MS) return;
    this.#shownAt = now;
    const { faces, candidate, not_read: notRead } = observation;
    field("faces").textContent = faces ? String(faces.length) : "not looked for";
    field("head").textContent = describeAngles(candidate?.head);
    field("gaze").textContent = describeAngles(candidate?.gaze);
    const open = candidate?.eyes_open;
    field("eyes").textContent = open === true ? "open" : open === false ? "shut" : "–";
    field("persons").textContent = this.#objects ? String(this.#objects.persons.length) : "–";
    field("phones").textContent = this.#objects ? String(this.#objects.phones.length) : "–";
    field("not-read").textContent = (notRead ?? [])
      .map(({ what, reason }) => `${what}: ${reason}`)
      .join("; ");
  }

  clear() {
    this.#shownAt = 0;
    this.#objects = null;
    for (const name of ["faces", "head", "gaze", "eyes", "persons", "phones"]) {
      field(name).textContent = "–";
    }
    field("not-read").textContent = "";
  }
}
