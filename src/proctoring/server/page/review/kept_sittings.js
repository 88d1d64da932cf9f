import { element } from "../element.js";
import { dismiss, notify, reasonOf } from "../notices.js";
import { clock, make, moment } from "./elements.js";
import { addressOf } from "./live_card.js";
import { readSittings } from "./records_api.js";
import { askForToken, tokenAccepted } from "./token_form.js";

/** @import { Sitting } from "./records_api.js" */

/** Pause after the last letter before a search begins. */
const TYPING_MS = 300;
const DEFAULT_ORDER = { order: "started", descending: "true" };

const rows = element("sittings");
const more = element("more");
const filters = element("filters", HTMLFormElement);
const empty = element("sittings-empty");
const heads = /** @type {HTMLButtonElement[]} */ ([...document.querySelectorAll("th button[data-order]")]);

let { order, descending } = DEFAULT_ORDER;
/** Number of the newest question: the answer to an older one, if it is late, does not count. */
let newestQuestion = 0;

/** @param {Sitting} sitting */
function row(sitting) {
  /** @param {string | number} value */
  const number = (value) => make("td", { class: "number", text: value });
  return make(
    "tr",
    { dataset: { sitting: sitting.id } },
    make("td", { class: "name" }, make("a", { href: addressOf(sitting), text: sitting.session_id })),
    make("td", { class: "moment", text: moment(sitting.started_at) }),
    make("td", { text: sitting.state }),
    make("td", { text: sitting.policy }),
    number(clock(sitting.media_time)),
    number(sitting.violations),
    number(sitting.alerts),
    number(sitting.undecided),
  );
}

/** What is chosen, in the words of the REST interface; without what is not. @returns {Record<string, string>} */
function chosen() {
  const form = new FormData(filters);
  const all = {
    search: String(form.get("search") ?? "").trim(),
    state: String(form.get("state") ?? ""),
    undecided: form.get("undecided") ? "true" : "",
    ...(order === DEFAULT_ORDER.order && descending === DEFAULT_ORDER.descending ? {} : { order, descending }),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""));
}

/** @param {string} [before]  `next` of the page before */
export async function showSittings(before = "") {
  newestQuestion += 1;
  const question = newestQuestion;
  const wanted = chosen();
  try {
    const page = await readSittings({ ...wanted, before });
    if (question !== newestQuestion) return;
    const found = page.sittings.map(row);
    if (before) rows.append(...found);
    else rows.replaceChildren(...found);
    showEmpty(wanted);
    const { next } = page;
    more.hidden = !next;
    more.onclick = () => void showSittings(next ?? "");
    dismiss("kept");
    tokenAccepted("kept");
  } catch (error) {
    if (question !== newestQuestion) return;
    if (!askForToken("kept", error)) notify("kept", "error", `The kept sessions cannot be read: ${reasonOf(error)}.`);
    // Rows of another choice would look like its answer.
    if (!before) rows.replaceChildren();
    empty.hidden = more.hidden = true;
  }
}

/** @param {Record<string, string>} wanted */
function showEmpty({ search, state, undecided }) {
  const told = [
    search ? `with "${search}" in its name` : "",
    state ? `that is ${state}` : "",
    undecided ? "that awaits a decision" : "",
  ].filter(Boolean);
  empty.textContent = told.length ? `No kept session ${told.join(", ")}.` : "No session is kept yet.";
  empty.hidden = rows.children.length > 0;
}

function showOrder() {
  for (const head of heads) {
    const cell = head.closest("th");
    if (head.dataset.order === order)
      cell?.setAttribute("aria-sort", descending === "true" ? "descending" : "ascending");
    else cell?.removeAttribute("aria-sort");
  }
}

/** A new choice: shown, and kept in the address, so that Back and a reload find it again. */
function choose() {
  const search = new URLSearchParams(chosen()).toString();
  history.replaceState(history.state, "", `${location.pathname}${search && `?${search}`}`);
  showOrder();
  void showSittings();
}

/** Takes what was chosen before from the address. */
function restore() {
  const given = new URLSearchParams(location.search);
  for (const name of ["search", "state"]) {
    const field = /** @type {HTMLInputElement} */ (filters.elements.namedItem(name));
    if (given.has(name)) field.value = given.get(name) ?? "";
  }
  const undecided = /** @type {HTMLInputElement} */ (filters.elements.namedItem("undecided"));
  undecided.checked = given.get("undecided") === "true";
  if (heads.some((head) => head.dataset.order === given.get("order"))) {
    order = given.get("order") ?? DEFAULT_ORDER.order;
    descending = given.get("descending") === "false" ? "false" : "true";
  }
  showOrder();
}

export function prepareFilters() {
  restore();
  let typing = 0;
  filters.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(typing);
    choose();
  });
  filters.addEventListener("input", () => {
    clearTimeout(typing);
    typing = window.setTimeout(choose, TYPING_MS);
  });
  for (const head of heads) {
    head.addEventListener("click", () => {
      // Names begin with A, numbers and times with the largest.
      const first = head.dataset.order === "session_id" ? "false" : "true";
      descending = head.dataset.order !== order ? first : descending === "true" ? "false" : "true";
      order = head.dataset.order ?? DEFAULT_ORDER.order;
      choose();
    });
  }
}
