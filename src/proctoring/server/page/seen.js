/** @import { Objects, Observation } from "./video_socket.js" */

/** Objects are looked for about once a second: they hold until the next look, or this long. */
const OBJECTS_HOLD_MS = 2500;
/** Faces are looked for ten times a second; a frame between two looks says nothing about them. */
const FACES_HOLD_MS = 500;

/**
 * The newest of everything that was seen: an observation says only what was looked at in its own
 * frame (`null`: not looked at), and each analyser looks at a rate of its own.
 */
export class Seen {
  /** @type {Pick<Observation, "faces" | "candidate" | "not_read"> | null} */
  #faces = null;
  #facesAt = -Infinity;
  /** @type {Objects | null} */
  #objects = null;
  #objectsAt = -Infinity;

  /**
   * An observation, completed with what the frames before it say.
   *
   * @param {Observation} observation
   * @returns {Observation}
   */
  add(observation, now = performance.now()) {
    if (observation.faces) {
      const { faces, candidate, not_read } = observation;
      this.#faces = { faces, candidate, not_read };
      this.#facesAt = now;
    } else if (now - this.#facesAt > FACES_HOLD_MS) {
      this.#faces = null;
    }
    if (observation.objects) {
      this.#objects = observation.objects;
      this.#objectsAt = now;
    } else if (now - this.#objectsAt > OBJECTS_HOLD_MS) {
      this.#objects = null;
    }
    return { ...observation, ...this.#faces, objects: this.#objects };
  }

  clear() {
    this.#faces = null;
    this.#objects = null;
  }
}
