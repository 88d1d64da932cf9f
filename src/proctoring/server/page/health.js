import { ApiError, readHealth } from "./api.js";
import { hasToken } from "./token.js";

/** What the server can and cannot do now, and whether it answers at all. */

const EVERY_MS = 10_000;
const EVERY_MS_WHILE_NOT_READY = 1500;

/** Where the capability's own name would not say it all. */
const NAMES = {
  faces: "Faces and head",
  objects: "Phones and persons",
  "objects.closer": "Phones, looked at closer",
  "transcription.moonshine": "Transcription (on the server)",
  "transcription.deepgram": "Transcription (Deepgram)",
};

const nameOf = (name) => NAMES[name] ?? name.charAt(0).toUpperCase() + name.slice(1);

const list = document.getElementById("capabilities");
const template = document.getElementById("capability-template");

let shown = "";

function show({ capabilities, version }) {
  if (JSON.stringify(capabilities) === shown) return;
  shown = JSON.stringify(capabilities);
  list.replaceChildren(
    ...capabilities.map(({ name, available, reason, model, wanted = true }) => {
      const item = template.content.firstElementChild.cloneNode(true);
      item.dataset.available = String(available);
      item.dataset.capability = name;
      item.dataset.wanted = String(wanted);
      item.querySelector(".name").textContent = nameOf(name);
      item.querySelector(".availability").textContent = available ? "on" : wanted ? "off" : "not in use";
      item.querySelector(".detail").textContent = available ? model : reason;
      return item;
    }),
  );
  const off = capabilities.filter(({ available, wanted = true }) => wanted && !available).length;
  const summary = document.getElementById("capability-summary");
  summary.textContent = off ? `${off} switched off` : capabilities.length ? "all on" : "";
  summary.toggleAttribute("data-off", off > 0);
  document.getElementById("version").textContent = `Proctoring ${version}`;
}

/**
 * Asks for the server's health again and again.
 *
 * @param {(status: string, detail: string) => void} onChange  `gone` when it does not answer; `locked`
 *   when it wants a token, `refused` when another; else the server's own words: `starting`, `ok`,
 *   `degraded`, `failed`, `stopping`
 * @returns {() => void} asks at once, out of turn
 */
export function watchHealth(onChange) {
  let timer = 0;
  let looking = false;
  const look = async () => {
    if (looking) return;
    looking = true;
    clearTimeout(timer);
    const health = await readHealth().catch((error) =>
      error instanceof ApiError && error.status === 401
        ? { status: "refused", detail: error.message }
        : null,
    );
    looking = false;
    if (health?.capabilities) show(health);
    const locked = health?.access === "tokens" && !hasToken();
    const status = locked ? "locked" : (health?.status ?? "gone");
    const ready = status === "ok" || status === "degraded";
    timer = setTimeout(() => void look(), ready ? EVERY_MS : EVERY_MS_WHILE_NOT_READY);
    onChange(status, health?.detail ?? "");
  };
  void look();
  return () => void look();
}
