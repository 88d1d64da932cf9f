import { readHealth } from "./api.js";

/** What the server can and cannot do now, and whether it answers at all. */

const EVERY_MS = 10_000;
const EVERY_MS_WHILE_GONE = 2000;

const NAMES = {
  faces: "Faces and head",
  gaze: "Gaze",
  objects: "Phones and persons",
};

const list = document.getElementById("capabilities");
const template = document.getElementById("capability-template");

function show(health) {
  const capabilities = health.capabilities ?? [];
  list.replaceChildren(
    ...capabilities.map(({ name, available, reason, model }) => {
      const item = template.content.firstElementChild.cloneNode(true);
      item.dataset.available = String(available);
      item.dataset.capability = name;
      item.querySelector(".name").textContent = NAMES[name] ?? name;
      item.querySelector(".availability").textContent = available ? "on" : "off";
      item.querySelector(".detail").textContent = available ? (model ?? "") : (reason ?? "");
      return item;
    }),
  );
  const off = capabilities.filter(({ available }) => !available).length;
  document.getElementById("capability-summary").textContent = off ? `${off} switched off` : "all on";
  document.getElementById("version").textContent = `Proctoring ${health.version}`;
}

/**
 * Asks for the server's health again and again.
 *
 * @param {(answers: boolean) => void} onChange  called when the server goes away or comes back
 */
export function watchHealth(onChange) {
  let answered = null;
  let shown = "";
  const look = async () => {
    let health = null;
    try {
      health = await readHealth();
    } catch {
      // The caller says so; a server that starts or restarts is asked again soon.
    }
    if (health && JSON.stringify(health.capabilities) !== shown) {
      shown = JSON.stringify(health.capabilities);
      show(health);
    }
    if (answered !== (health !== null)) {
      answered = health !== null;
      onChange(answered);
    }
    setTimeout(() => void look(), answered ? EVERY_MS : EVERY_MS_WHILE_GONE);
  };
  void look();
}
