/** Labels over the picture: inside it, never over each other, the most important first. */

/** @typedef {{left: number, top: number, right: number, bottom: number}} Rectangle  right and bottom are outside */

/** @typedef {{text: string, colour: string, anchor: Rectangle}} Label  `anchor`: what it is about, in pixels of the canvas */

const HEIGHT = 20;
/** From the left edge: a bar in the label's colour, then the text. */
const BAR = 3;
const PADDING = 7;
const SHADE = "rgb(0 0 0 / 72%)";
const TEXT = "#ffffff";

/**
 * @param {Rectangle} one
 * @param {Rectangle} other
 */
const overlap = (one, other) =>
  one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;

/**
 * The place of one label, as near as possible to what it is about: above it, below it, in one of its corners, or
 * wherever there is room; null if there is none.
 *
 * @param {number} width
 * @param {number} height
 * @param {Rectangle} anchor
 * @param {Rectangle[]} taken  places of other labels
 * @param {Rectangle} bounds  the picture
 * @returns {Rectangle | null}
 */
export function placeLabel(width, height, anchor, taken, bounds) {
  if (width > bounds.right - bounds.left || height > bounds.bottom - bounds.top) return null;
  /** @type {(left: number, top: number) => Rectangle} */
  const at = (left, top) => {
    const x = Math.min(Math.max(left, bounds.left), bounds.right - width);
    const y = Math.min(Math.max(top, bounds.top), bounds.bottom - height);
    return { left: x, top: y, right: x + width, bottom: y + height };
  };
  /** @param {Rectangle} place */
  const isFree = (place) => !taken.some((other) => overlap(place, other));
  const tops = [anchor.top - height, anchor.bottom, anchor.top, anchor.bottom - height];
  const beside = tops.flatMap((top) => [at(anchor.left, top), at(anchor.right - width, top)]);
  const found = beside.find(isFree);
  if (found) return found;
  // If there is any room, there is some that touches other labels or the border.
  const first = at(anchor.left, anchor.top - height);
  const lefts = [first.left, bounds.left, bounds.right - width, ...taken.flatMap((t) => [t.right, t.left - width])];
  const ys = [first.top, bounds.top, bounds.bottom - height, ...taken.flatMap((t) => [t.bottom, t.top - height])];
  /** @param {Rectangle} place */
  const distance = (place) => Math.abs(place.left - first.left) + Math.abs(place.top - first.top);
  const free = lefts.flatMap((left) => ys.map((top) => at(left, top))).filter(isFree);
  return free.sort((one, other) => distance(one) - distance(other))[0] ?? null;
}

/**
 * @param {CanvasRenderingContext2D} context  with its font set
 * @param {Label[]} labels  the most important first
 * @param {Rectangle} bounds  the picture
 */
export function drawLabels(context, labels, bounds) {
  /** @type {Rectangle[]} */
  const taken = [];
  for (const { text, colour, anchor } of labels) {
    const width = Math.ceil(context.measureText(text).width) + 2 * PADDING;
    const place = placeLabel(width, HEIGHT, anchor, taken, bounds);
    if (!place) continue;
    taken.push(place);
    context.fillStyle = SHADE;
    context.fillRect(place.left, place.top, width, HEIGHT);
    context.fillStyle = colour;
    context.fillRect(place.left, place.top, BAR, HEIGHT);
    context.fillStyle = TEXT;
    context.fillText(text, place.left + PADDING, place.bottom - 5);
  }
}
