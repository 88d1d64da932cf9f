import { ApiError, beginCalibration } from "./api.js";
import { element } from "./element.js";
import { notify } from "./notices.js";

/**
 * What the candidate is told to do: a better position, the steps of a calibration, a movement.
 * All of it comes with the events; this page decides nothing.
 */

/**
 * How far the candidate is from a position to be judged in.
 *
 * @typedef {{state: "off" | "waiting" | "calibrating" | "ready", missing: {code: string, text: string}[]}} Enrolment
 */

/**
 * Degrees from the middle of the gaze to the edges of the screen.
 *
 * @typedef {{left: number, right: number, up: number, down: number}} Reach
 */

/**
 * One step of a calibration, or how it ended.
 *
 * @typedef {object} Calibration
 * @property {"none" | "running" | "done" | "failed"} state
 * @property {string} step  `top_left`, `turn_right`, ...
 * @property {string} text  for the candidate
 * @property {number} number  of the step; 0: none runs
 * @property {number} of  how many steps there are
 * @property {number} seconds  for each step
 * @property {string} reason  of a failure
 * @property {Reach | null} reach  once measured
 * @property {number} attempts_left
 */

/**
 * A movement that is asked for, or how it ended.
 *
 * @typedef {object} Challenge
 * @property {"none" | "asked" | "passed" | "failed"} state
 * @property {string} text  for the candidate
 * @property {number} attempt
 * @property {number} seconds  to make the movement in
 * @property {string} reason  why the last movement failed
 */

/** How often a bar of remaining time is drawn. */
const COUNT_EVERY_MS = 200;
/** How long the outcome of a challenge stays on the page. */
const OUTCOME_SHOWN_MS = 4000;

const panel = element("guide");
const stateText = element("guide-state");
const missing = element("guide-missing");
const calibrate = element("calibrate");
const calibrationText = element("calibration-outcome");
const prompt = element("prompt");
const promptText = element("prompt-text");
const walk = element("walk", HTMLDialogElement);
const walkClose = element("walk-close");
const walkNumber = element("walk-number");
const walkText = element("walk-text");
const dot = element("dot");

const STATES = { off: "Not asked for", waiting: "Waiting for a picture", calibrating: "Not ready yet", ready: "Ready" };
const READY = "You sit well. Stay as you are.";
const NOBODY = "Nobody is in the picture.";
/** How long no face, or more than one, is seen before this is said: one missed detection is nothing. */
const OTHER_FACES_MS = 500;

/** Why nothing is said of the position now: what the panel shows instead. */
const PAUSES = {
  idle: { state: "Not started", text: "" },
  starting: { state: "Starting", text: "Waiting for the first picture to be looked at." },
  stopped: { state: "Stopped", text: "Nothing is sent now." },
  silent: { state: "No answer", text: "Nothing is looked at until the server answers again." },
  refused: { state: "Not accepted", text: "Nothing is looked at until the server accepts this page." },
  offline: { state: "Offline", text: "Nothing is looked at until the network is back." },
  dark: { state: "No picture", text: "The camera gives no picture." },
};

export class Guide {
  /** @type {string | null} */
  #sessionId = null;
  #prompting = new Countdown(element("prompt-left", HTMLProgressElement));
  #walking = new Countdown(element("walk-left", HTMLProgressElement));
  #hiding = 0;
  #attemptsLeft = 1;
  /** What the server said last. @type {Enrolment | null} */
  #enrolment = null;
  /** @type {keyof typeof PAUSES | null} */
  #pause = "idle";
  /** Faces in the newest picture, as far as it is said. */
  #faces = 1;
  /** Since when it shows none, or more than one; null: it shows one. @type {number | null} */
  #otherSince = null;

  constructor() {
    calibrate.addEventListener("click", () => void this.#calibrate());
    walkClose.addEventListener("click", () => walk.close());
    this.stop();
    this.clear();
  }

  /**
   * What was said last is not known to be so any more.
   *
   * @param {keyof typeof PAUSES} why
   */
  pause(why) {
    this.#pause = why;
    this.#show();
  }

  /** The server looks at pictures again. */
  resume() {
    if (this.#pause === null) return;
    this.#pause = null;
    this.#show();
  }

  /**
   * Takes the number of faces in the newest picture: a candidate who was ready once may have left since.
   *
   * @param {number | null} faces  null: not looked for
   */
  seen(faces, now = performance.now()) {
    if (faces === null) return;
    if (faces === 1) this.#otherSince = null;
    else this.#otherSince ??= now;
    if (this.#otherSince !== null && now - this.#otherSince < OTHER_FACES_MS) return;
    if (faces === this.#faces) return;
    this.#faces = faces;
    this.#show();
  }

  /**
   * Pictures of this session are being sent from now on.
   *
   * @param {string} sessionId
   */
  start(sessionId) {
    this.#sessionId = sessionId;
    this.pause("starting");
    this.#allowCalibration();
  }

  /** No more pictures: nothing can be asked for. */
  stop() {
    this.#sessionId = null;
    this.#prompting.stop();
    this.#walking.stop();
    prompt.hidden = true;
    if (walk.open) walk.close();
    this.pause("stopped");
    this.#allowCalibration();
  }

  /** Another session: nothing is known of it. */
  clear() {
    this.#attemptsLeft = 1;
    this.#enrolment = null;
    this.#faces = 1;
    this.#otherSince = null;
    this.pause("idle");
    calibrationText.textContent = "";
    this.#allowCalibration();
  }

  /**
   * Takes one message of the events socket.
   *
   * @param {{enrolment?: Enrolment, calibration?: Calibration, challenge?: Challenge}} event
   */
  receive({ enrolment, calibration, challenge }) {
    if (enrolment) {
      this.#enrolment = enrolment;
      this.#show();
    }
    if (calibration) this.#showCalibration(calibration);
    if (challenge) this.#showChallenge(challenge);
  }

  #show() {
    const said = this.#enrolment ?? { state: /** @type {const} */ ("waiting"), missing: [] };
    const pause = this.#pause && PAUSES[this.#pause];
    const left = said.state === "ready" && this.#faces === 0;
    panel.dataset.state = this.#pause ?? (left ? "absent" : said.state);
    const state = pause ? pause.state : left ? "Not in the picture" : STATES[said.state];
    if (stateText.textContent !== state) stateText.textContent = state;
    // Whether a second face may be there is for the incidents to say.
    const ready = left ? [NOBODY] : this.#faces === 1 ? [READY] : [];
    const texts = said.state === "ready" ? ready : said.missing.map(({ text }) => text);
    const lines = (pause ? [pause.text] : texts).filter(Boolean);
    // The same again is not said again.
    if (lines.join() === [...missing.children].map((item) => item.textContent).join()) return;
    missing.replaceChildren(
      ...lines.map((text) => {
        const item = document.createElement("li");
        item.textContent = text;
        return item;
      }),
    );
  }

  /** @param {Calibration} calibration */
  #showCalibration({ state, step, text, number, of, seconds, reason, reach, attempts_left: left }) {
    this.#attemptsLeft = left;
    this.#allowCalibration();
    if (state !== "running") {
      this.#walking.stop();
      dot.hidden = true;
      if (state === "none") return;
      const done = state === "done" && reach !== null;
      const outcome = done ? `Calibrated: ${describeReach(reach)}.` : `Not calibrated: ${reason}.`;
      calibrationText.textContent = outcome;
      walkText.textContent = outcome;
      walkNumber.textContent = done ? "Done" : "Stopped";
      walkClose.focus();
      return;
    }
    if (!this.#sessionId) return;
    if (!walk.open) walk.showModal();
    walkNumber.textContent = `Step ${number} of ${of}`;
    walkText.textContent = text;
    dot.hidden = step.startsWith("turn");
    dot.dataset.corner = step;
    this.#walking.start(seconds);
  }

  /** @param {Challenge} challenge */
  #showChallenge({ state, text, seconds, attempt, reason }) {
    clearTimeout(this.#hiding);
    if (state === "none" || !this.#sessionId) return;
    prompt.dataset.state = state;
    const words = {
      asked: attempt > 1 ? `Once more, something else: ${text}` : text,
      passed: "Thank you.",
      failed: `Not done: ${reason}.`,
    };
    promptText.textContent = words[state];
    prompt.hidden = false;
    if (state === "asked") {
      this.#prompting.start(seconds);
      return;
    }
    this.#prompting.stop();
    this.#hiding = window.setTimeout(() => {
      prompt.hidden = true;
    }, OUTCOME_SHOWN_MS);
  }

  async #calibrate() {
    if (!this.#sessionId || calibrate.getAttribute("aria-disabled") === "true") return;
    calibrationText.textContent = "";
    try {
      await beginCalibration(this.#sessionId);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      notify("calibration", "warning", `No calibration now: ${error.message}.`);
    }
  }

  #allowCalibration() {
    calibrate.setAttribute("aria-disabled", String(!this.#sessionId || this.#attemptsLeft < 1));
  }
}

/** Seconds that run down, shown as a bar; screen readers hear the task, not the seconds. */
class Countdown {
  #timer = 0;
  #bar;

  /** @param {HTMLProgressElement} bar */
  constructor(bar) {
    this.#bar = bar;
  }

  /** @param {number} seconds */
  start(seconds) {
    this.stop();
    const end = performance.now() + seconds * 1000;
    const show = () => {
      this.#bar.value = Math.max(0, (end - performance.now()) / (seconds * 1000));
    };
    this.#bar.hidden = false;
    show();
    this.#timer = window.setInterval(show, COUNT_EVERY_MS);
  }

  stop() {
    clearInterval(this.#timer);
    this.#bar.hidden = true;
  }
}

/** @param {Reach} reach */
function describeReach({ left, right, up, down }) {
  /** @param {number} value */
  const degrees = (value) => `${Math.round(value)}°`;
  return `your screen reaches ${degrees(left)} left, ${degrees(right)} right, ${degrees(up)} up and ${degrees(down)} down`;
}
