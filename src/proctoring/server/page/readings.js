import { element } from "./element.js";

/** What the newest observation says, in words. */

/** @import { Angles, Identity, Observation } from "./video_socket.js" */

/** Pause between two updates: numbers that change with every frame cannot be read. */
const SHOWN_EVERY_MS = 250;

/** @param {string} name */
const field = (name) => element(`reading-${name}`);

/**
 * Degrees towards the candidate's own side: `direction(-12.4, "left", "right")` is "12° right".
 *
 * @param {number | null | undefined} degrees
 * @param {string} positive
 * @param {string} negative
 */
function direction(degrees, positive, negative) {
  if (degrees === null || degrees === undefined) return null;
  const rounded = Math.round(degrees);
  if (rounded === 0) return null;
  return `${Math.abs(rounded)}° ${rounded > 0 ? positive : negative}`;
}

/** @param {Angles | null | undefined} angles */
export function describeAngles(angles) {
  if (!angles) return "–";
  const parts = [
    direction(angles.yaw, "left", "right"),
    direction(angles.pitch, "up", "down"),
    direction(angles.roll, "tilted left", "tilted right"),
  ].filter(Boolean);
  return parts.join(", ") || "straight ahead";
}

/** @param {Identity} identity  the last comparison of faces */
export function describeIdentity({ distance, comparisons, trigger, from_photo: fromPhoto }) {
  const whom = fromPhoto ? "the photo" : "the first seconds";
  return `distance ${distance.toFixed(2)} from ${whom}, ${comparisons} ${comparisons === 1 ? "comparison" : "comparisons"}, ${trigger}`;
}

export class Readings {
  #shownAt = 0;

  /** @param {Observation} observation */
  show(observation) {
    // Faces are compared rarely: what was said last stands, and none of it may be skipped.
    if (observation.identity) {
      field("compared").textContent = describeIdentity(observation.identity);
    }
    const now = performance.now();
    if (now - this.#shownAt < SHOWN_EVERY_MS) return;
    this.#shownAt = now;
    const { faces, candidate, objects, not_read: notRead } = observation;
    field("faces").textContent = faces ? String(faces.length) : "not looked for";
    field("head").textContent = describeAngles(candidate?.head);
    field("gaze").textContent = describeAngles(candidate?.gaze);
    const open = candidate?.eyes_open;
    field("eyes").textContent = open === true ? "open" : open === false ? "shut" : "–";
    field("persons").textContent = objects ? String(objects.persons.length) : "–";
    field("phones").textContent = objects ? String(objects.phones.length) : "–";
    field("not-read").textContent = (notRead ?? []).map(({ what, reason }) => `${what}: ${reason}`).join("; ");
  }

  clear() {
    this.#shownAt = 0;
    for (const name of ["faces", "head", "gaze", "eyes", "persons", "phones", "compared"]) {
      field(name).textContent = "–";
    }
    field("not-read").textContent = "";
  }
}
