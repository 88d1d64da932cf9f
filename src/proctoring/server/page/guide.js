import { ApiError, beginCalibration } from "./api.js";
import { notify } from "./notices.js";

/**
 * What the candidate is told to do: a better position, the steps of a calibration, a movement.
 * All of it comes with the events; this page decides nothing.
 */

const COUNT_EVERY_MS = 200;
const OUTCOME_SHOWN_MS = 4000;

const panel = document.getElementById("guide");
const stateText = document.getElementById("guide-state");
const missing = document.getElementById("guide-missing");
const calibrate = document.getElementById("calibrate");
const calibrationText = document.getElementById("calibration-outcome");
const prompt = document.getElementById("prompt");
const walk = document.getElementById("walk");
const dot = document.getElementById("dot");

const STATES = { off: "Not asked for", waiting: "Waiting for a picture", calibrating: "Not ready yet", ready: "Ready" };
const READY = "You sit well. Stay as you are.";

export class Guide {
  #sessionId = null;
  #prompting = new Countdown(document.getElementById("prompt-left"));
  #walking = new Countdown(document.getElementById("walk-left"));
  #hiding = null;
  #attemptsLeft = 1;

  constructor() {
    calibrate.addEventListener("click", () => void this.#calibrate());
    document.getElementById("walk-close").addEventListener("click", () => walk.close());
    this.stop();
    this.clear();
  }

  /** Pictures of this session are being sent from now on. */
  start(sessionId) {
    this.#sessionId = sessionId;
    this.#allowCalibration();
  }

  /** No more pictures: nothing can be asked for. */
  stop() {
    this.#sessionId = null;
    this.#prompting.stop();
    this.#walking.stop();
    prompt.hidden = true;
    if (walk.open) walk.close();
    this.#allowCalibration();
  }

  /** Another session: nothing is known of it. */
  clear() {
    this.#attemptsLeft = 1;
    panel.dataset.state = "idle";
    stateText.textContent = "Not started";
    missing.replaceChildren();
    calibrationText.textContent = "";
    this.#allowCalibration();
  }

  /** Takes one message of the events socket. */
  receive({ enrolment, calibration, challenge }) {
    if (enrolment) this.#showEnrolment(enrolment);
    if (calibration) this.#showCalibration(calibration);
    if (challenge) this.#showChallenge(challenge);
  }

  #showEnrolment({ state, missing: lacks }) {
    panel.dataset.state = state;
    stateText.textContent = STATES[state];
    const lines = state === "ready" ? [READY] : lacks.map(({ text }) => text);
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

  #showCalibration({ state, step, text, number, of, seconds, reason, reach, attempts_left: left }) {
    this.#attemptsLeft = left;
    this.#allowCalibration();
    if (state !== "running") {
      this.#walking.stop();
      dot.hidden = true;
      if (state === "none") return;
      const done = state === "done";
      const outcome = done ? `Calibrated: ${describeReach(reach)}.` : `Not calibrated: ${reason}.`;
      calibrationText.textContent = outcome;
      document.getElementById("walk-text").textContent = outcome;
      document.getElementById("walk-number").textContent = done ? "Done" : "Stopped";
      document.getElementById("walk-close").focus();
      return;
    }
    if (!this.#sessionId) return;
    if (!walk.open) walk.showModal();
    document.getElementById("walk-number").textContent = `Step ${number} of ${of}`;
    document.getElementById("walk-text").textContent = text;
    dot.hidden = step.startsWith("turn");
    dot.dataset.corner = step;
    this.#walking.start(seconds);
  }

  #showChallenge({ state, text, seconds, attempt, reason }) {
    clearTimeout(this.#hiding);
    if (state === "none" || !this.#sessionId) return;
    prompt.dataset.state = state;
    const words = { asked: attempt > 1 ? `Once more, something else: ${text}` : text, passed: "Thank you.", failed: `Not done: ${reason}.` };
    document.getElementById("prompt-text").textContent = words[state];
    prompt.hidden = false;
    if (state === "asked") {
      this.#prompting.start(seconds);
      return;
    }
    this.#prompting.stop();
    this.#hiding = setTimeout(() => {
      prompt.hidden = true;
    }, OUTCOME_SHOWN_MS);
  }

  async #calibrate() {
    if (calibrate.getAttribute("aria-disabled") === "true") return;
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
  #timer = null;
  #bar;

  constructor(bar) {
    this.#bar = bar;
  }

  start(seconds) {
    this.stop();
    const end = performance.now() + seconds * 1000;
    const show = () => {
      this.#bar.value = Math.max(0, (end - performance.now()) / (seconds * 1000));
    };
    this.#bar.hidden = false;
    show();
    this.#timer = setInterval(show, COUNT_EVERY_MS);
  }

  stop() {
    clearInterval(this.#timer);
    this.#bar.hidden = true;
  }
}

function describeReach({ left, right, up, down }) {
  const degrees = (value) => `${Math.round(value)}°`;
  return `your screen reaches ${degrees(left)} left, ${degrees(right)} right, ${degrees(up)} up and ${degrees(down)} down`;
}
