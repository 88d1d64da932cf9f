import { element } from "../element.js";
import { dismiss, notify, reasonOf } from "../notices.js";
import { clock, make, moment } from "./elements.js";
import { addressOf } from "./live_card.js";
import { readSittings } from "./records_api.js";
import { askForToken } from "./token_form.js";

/** @import { Sitting } from "./records_api.js" */

const rows = element("sittings");
const more = element("more");
const filters = element("filters", HTMLFormElement);
const empty = element("sittings-empty");

/** @param {Sitting} sitting */
function row(sitting) {
  /** @param {string | number} value */
  const number = (value) => make("td", { class: "number", text: value });
  return make(
    "tr",
    { dataset: { sitting: sitting.id } },
    make("td", { class: "name" }, make("a", { href: addressOf(sitting), text: sitting.session_id })),
    make("td", { text: moment(sitting.started_at) }),
    make("td", { text: sitting.state }),
    make("td", { text: sitting.policy }),
    number(clock(sitting.media_time)),
    number(sitting.violations),
    number(sitting.alerts),
    number(sitting.undecided),
  );
}

/** @param {string} [before]  `next` of the page before */
export async function showSittings(before = "") {
  const chosen = new FormData(filters);
  try {
    const page = await readSittings({
      session_id: textOf(chosen, "session_id"),
      state: textOf(chosen, "state"),
      undecided: chosen.get("undecided") ? "true" : "",
      before,
    });
    const found = page.sittings.map(row);
    if (before) rows.append(...found);
    else rows.replaceChildren(...found);
    empty.hidden = rows.children.length > 0;
    const { next } = page;
    more.hidden = !next;
    more.onclick = () => void showSittings(next ?? "");
    dismiss("kept");
  } catch (error) {
    askForToken(error);
    notify("kept", "error", `The kept sessions cannot be read: ${reasonOf(error)}.`);
    // Rows of another choice would look like its answer.
    if (!before) rows.replaceChildren();
    empty.hidden = true;
  }
}

/**
 * @param {FormData} form
 * @param {string} name
 */
const textOf = (form, name) => String(form.get(name) ?? "").trim();

export function prepareFilters() {
  filters.addEventListener("submit", (event) => {
    event.preventDefault();
    void showSittings();
  });
}
