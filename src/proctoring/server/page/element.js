/** Elements of the page, found with the type that the caller needs. */

/**
 * The element with this id.
 *
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @param {new () => T} [kind]  class of the element
 * @returns {T}
 * @throws {TypeError} the page has no such element
 */
export function element(id, kind) {
  return checked(document.getElementById(id), kind, `#${id}`);
}

/**
 * The first element below `parent` that a selector matches.
 *
 * @template {HTMLElement} [T=HTMLElement]
 * @param {ParentNode} parent
 * @param {string} selector
 * @param {new () => T} [kind]  class of the element
 * @returns {T}
 * @throws {TypeError} there is no such element
 */
export function descendant(parent, selector, kind) {
  return checked(parent.querySelector(selector), kind, selector);
}

/**
 * A copy of the one element in a `<template>`.
 *
 * @param {HTMLTemplateElement} template
 */
export function copyOf(template) {
  const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
  return checked(copy.firstElementChild, undefined, `#${template.id}`);
}

/**
 * @template {HTMLElement} T
 * @param {Element | null} found
 * @param {(new () => T) | undefined} kind
 * @param {string} what  for the error
 * @returns {T}
 */
function checked(found, kind, what) {
  const expected = kind ?? HTMLElement;
  if (found instanceof expected) return /** @type {T} */ (found);
  throw new TypeError(`this page has no ${expected.name} ${what}`);
}

/**
 * What draws on a canvas.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 * @throws {TypeError} the browser draws nothing
 */
export function contextOf(canvas, settings) {
  const context = canvas.getContext("2d", settings);
  if (context) return context;
  throw new TypeError("this browser cannot draw on a canvas");
}
