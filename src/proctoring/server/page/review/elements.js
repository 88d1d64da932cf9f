/** Making elements; text is always text, never markup. */

/**
 * @typedef {object} Content
 * @property {string | number} [text]
 * @property {Record<string, string>} [dataset]
 * @property {() => void} [onclick]
 * @property {(event: SubmitEvent) => void} [onsubmit]
 */

/** What an element is made with; false leaves an attribute out, true gives it no value. @typedef {Content & {[attribute: string]: any}} Attributes */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name
 * @param {Attributes} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(name, { text, dataset, onclick, onsubmit, ...attributes } = {}, ...children) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = String(text);
  Object.assign(element.dataset, dataset);
  if (onclick) element.addEventListener("click", onclick);
  if (onsubmit) {
    element.addEventListener("submit", (event) => onsubmit(/** @type {SubmitEvent} */ (event)));
  }
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/**
 * 3723.4 -> "1:02:03", and "2:03" within the first hour.
 *
 * @param {number | null | undefined} seconds
 */
export function clock(seconds) {
  if (seconds === null || seconds === undefined) return "\u2013";
  const whole = Math.round(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = whole % 60;
  /** @param {number} number */
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/**
 * A moment as people here write it.
 *
 * @param {string | null} iso
 */
export const moment = (iso) =>
  iso ? new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" }) : "\u2013";

/**
 * "3 incidents", "1 incident".
 *
 * @param {number} number
 * @param {string} noun
 */
export const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
