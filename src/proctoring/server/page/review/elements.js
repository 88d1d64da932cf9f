/** Making elements; text is always text, never markup. */

/**
 * @param {string} name
 * @param {Record<string, unknown>} [attributes]  `text`, `dataset`, `on<event>` or attributes
 * @param {...(Node | string)} children
 */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "text") element.textContent = value;
    else if (key === "dataset") Object.assign(element.dataset, value);
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** 3723.4 -> "1:02:03", and "2:03" within the first hour. */
export function clock(seconds) {
  if (seconds === null || seconds === undefined) return "\u2013";
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** A moment as people here write it. */
export const moment = (iso) =>
  iso ? new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" }) : "\u2013";

/** "3 incidents", "1 incident". */
export const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
