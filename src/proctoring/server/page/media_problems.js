import { dismiss, notify } from "./notices.js";

/** What the candidate is told when pictures or sound stop, or are not analysed: it comes with the events. */

/** @typedef {{problems: {code: string, text: string}[]}} Media */

/** @type {Set<string>} */
let shown = new Set();

/** @param {string} code */
const subject = (code) => `media-${code}`;

/**
 * Takes one message of the events socket: shows what is wrong now, and no longer what is well again.
 *
 * @param {{media?: Media}} event
 */
export function showMediaProblems({ media }) {
  if (!media) return;
  const codes = new Set(media.problems.map(({ code }) => code));
  for (const code of shown) if (!codes.has(code)) dismiss(subject(code));
  for (const { code, text } of media.problems) notify(subject(code), "warning", text);
  shown = codes;
}

/** Nothing is sent any more: nothing can be wrong with it. */
export function dismissMediaProblems() {
  showMediaProblems({ media: { problems: [] } });
}
