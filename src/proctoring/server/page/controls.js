import { element } from "./element.js";
import { permits } from "./permitted.js";
import { lockSetup } from "./setup.js";

/** What can be done in each state of the page: its buttons, what may be chosen, and the words over the picture. */

/** @typedef {"none" | "starting" | "running" | "stopped"} PageState */

/** @type {Record<PageState, string>} */
const LABELS = { none: "Start", starting: "Cancel", running: "Stop", stopped: "Continue" };

const toggle = element("toggle");
const end = element("end");
const hint = element("stage-hint");

/** @param {PageState} state */
export function showControls(state) {
  toggle.textContent = LABELS[state];
  end.setAttribute("aria-disabled", String(state === "none" || state === "starting"));
  hint.hidden = state === "running";
  if (state === "none") hint.textContent = "No picture yet. Press Start when you are ready.";
  if (state === "stopped") {
    hint.textContent = permits("admin")
      ? "Stopped: nothing is sent. Continue, or end the session."
      : "Stopped: nothing is sent. The session stays open: continue, or leave this page if you are done.";
  }
  lockSetup({ session: state !== "none", source: state === "running" || state === "starting" });
}
