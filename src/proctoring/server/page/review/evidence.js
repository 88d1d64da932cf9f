import { fetchBlob } from "../api.js";
import { reasonOf } from "../notices.js";
import { clock, make } from "./elements.js";

/** @import { Evidence, RecordedIncident } from "./records_api.js" */

/**
 * A still or clip of an incident. It is fetched when it comes into view: a session may have many.
 *
 * @param {Evidence} one
 * @param {RecordedIncident} incident
 */
export function evidenceFigure(one, incident) {
  const place = make("div", { text: "Loading" });
  const figure = make(
    "figure",
    { dataset: { digest: one.digest } },
    place,
    make("figcaption", { class: "muted", text: `${kindOf(one)} from ${clock(one.start)}` }),
  );
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    seen.disconnect();
    void show(one, incident, place);
  });
  seen.observe(figure);
  return figure;
}

/** @param {Evidence} evidence */
const kindOf = ({ media_type }) => (media_type.startsWith("image/") ? "Still" : "Clip");

/**
 * @param {Evidence} one
 * @param {RecordedIncident} incident
 * @param {HTMLElement} place
 */
async function show(one, incident, place) {
  try {
    const url = URL.createObjectURL(await fetchBlob(one.url));
    const about = `${kindOf(one)} of ${incident.label} at ${clock(one.start)}`;
    place.replaceChildren(
      one.media_type.startsWith("image/")
        ? make("img", { src: url, alt: about })
        : make("video", { src: url, controls: true, "aria-label": about }),
    );
  } catch (error) {
    place.textContent = `Cannot be shown: ${reasonOf(error)}`;
  }
}
