import { element } from "./element.js";

/** Asks before a session is ended: an ended one cannot be continued. */

const dialog = element("confirm-end", HTMLDialogElement);
const yes = element("confirm-end-yes", HTMLButtonElement);
const no = element("confirm-end-no", HTMLButtonElement);

/** Pictures go on meanwhile. @returns {Promise<boolean>} whether to end it */
export function confirmEnd() {
  if (dialog.open) return Promise.resolve(false);
  const listening = new AbortController();
  const { signal } = listening;
  dialog.showModal();
  no.focus();
  return new Promise((resolve) => {
    yes.addEventListener("click", () => dialog.close("end"), { signal });
    no.addEventListener("click", () => dialog.close(""), { signal });
    dialog.addEventListener(
      "close",
      () => {
        listening.abort();
        resolve(dialog.returnValue === "end");
        dialog.returnValue = "";
      },
      { signal },
    );
  });
}

/** The session is over: nothing is to be asked. */
export function closeConfirmEnd() {
  if (dialog.open) dialog.close("");
}
