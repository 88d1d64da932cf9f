"use strict";
const body = document.querySelector("tbody");
const compare = new Intl.Collator(undefined, { numeric: true }).compare;

/** Sort rows by a column; the first click on it sorts as `data-first` of its button says. */
function sortBy(button) {
  const head = button.closest("th");
  const before = head.getAttribute("aria-sort");
  const first = Number(button.dataset.first ?? 1);
  const direction = before === null ? first : before === "ascending" ? -1 : 1;
  for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
  const key = (row) => {
    const cell = row.cells[head.cellIndex];
    return cell.dataset.key ?? cell.textContent;
  };
  const numbers = head.classList.contains("number") || head.cellIndex === 1;
  const keyed = [...body.rows].map((row) => ({ row, key: numbers ? Number(key(row)) : key(row) }));
  keyed.sort((a, b) => direction * (numbers ? a.key - b.key : compare(a.key, b.key)));
  body.append(...keyed.map((one) => one.row));
}

for (const button of document.querySelectorAll("thead button")) {
  button.addEventListener("click", () => sortBy(button));
}
document.querySelector("#search").addEventListener("input", (event) => {
  const part = event.target.value.toLowerCase();
  for (const row of body.rows) row.hidden = !row.cells[0].textContent.toLowerCase().includes(part);
});
