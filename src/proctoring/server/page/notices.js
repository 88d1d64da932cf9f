import { element } from "./element.js";

/** Messages to the person in front of the page: one at a time about each subject, until they close it. */

const box = element("notices");
/** @type {Map<string, {notice: HTMLElement, message: string}>} */
const shown = new Map();

/**
 * Shows or replaces the message about a subject.
 *
 * @param {string} subject  `camera`, `server`, `session`, ...
 * @param {"error" | "warning" | "info"} kind
 * @param {string} message
 * @param {{label: string, run: () => void}} [action]  a button beside the message
 */
export function notify(subject, kind, message, action) {
  const before = shown.get(subject);
  // Saying the same thing again would make a screen reader repeat it.
  if (before?.message === message) return;
  dismiss(subject);
  const notice = document.createElement("div");
  notice.className = "notice";
  Object.assign(notice.dataset, { kind, subject });
  const text = document.createElement("p");
  text.textContent = message;
  notice.append(text);
  if (action) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = action.label;
    button.addEventListener("click", () => {
      dismiss(subject);
      action.run();
    });
    notice.append(button);
  }
  const close = document.createElement("button");
  close.type = "button";
  close.className = "close";
  close.textContent = "\u00d7";
  close.setAttribute("aria-label", "Close this message");
  // It stays in `shown`: the same message again is not shown again.
  close.addEventListener("click", () => notice.remove());
  notice.append(close);
  box.append(notice);
  shown.set(subject, { notice, message });
}

/** @param {...string} subjects */
export function dismiss(...subjects) {
  for (const subject of subjects) {
    shown.get(subject)?.notice.remove();
    shown.delete(subject);
  }
}

/**
 * What went wrong, for a message.
 *
 * @param {unknown} error
 */
export const reasonOf = (error) => (error instanceof Error ? error.message : String(error));
