import { element } from "./element.js";

/**
 * What this page's token permits. What it does not permit is not offered: elements with
 * `data-needs="admin review"` are hidden unless one of these scopes is there.
 */

/**
 * Scopes and session ids (or prefixes followed by `*`), as `/api/health` answers them.
 *
 * @typedef {{scopes: string[], sessions: string[]}} Grant
 */

/** Before the server has said: everything, as without tokens. @type {Grant} */
let grant = { scopes: ["media", "events", "review", "admin", "metrics"], sessions: ["*"] };

/** @type {HTMLElement[]} */
const elements = [...document.querySelectorAll("[data-needs]")].filter((found) => found instanceof HTMLElement);

const technical = element("technical", HTMLDetailsElement);
let isFirst = true;

/** @param {string} scope */
export const permits = (scope) => grant.scopes.includes(scope);

/** Whether the token is for this session, too. @param {string} id */
export const covers = (id) =>
  grant.sessions.some((one) => (one.endsWith("*") ? id.startsWith(one.slice(0, -1)) : id === one));

/** The only session that the token is for; null where there are more. */
export function onlySession() {
  const [first, ...others] = grant.sessions;
  return first && !others.length && !first.endsWith("*") ? first : null;
}

/** @param {Grant} given */
export function setGrant(given) {
  grant = given;
  for (const one of elements) {
    const needs = (one.dataset.needs ?? "").split(" ");
    one.toggleAttribute("data-refused", !needs.some(permits));
  }
  // Once: afterwards it is as the person left it.
  if (isFirst) technical.open = permits("admin");
  isFirst = false;
}
