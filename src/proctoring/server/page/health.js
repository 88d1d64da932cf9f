import { ApiError, readHealth } from "./api.js";
import { copyOf, descendant, element } from "./element.js";
import { setGrant } from "./permitted.js";
import { showPermitted } from "./setup.js";

/** What the server can and cannot do now, and whether it answers at all. */

/** @import { Capability, Health } from "./api.js" */

/** Pause between two questions while the server is ready. */
const EVERY_MS = 10_000;
/** Pause while it starts, or does not answer: a person waits for it. */
const EVERY_MS_WHILE_NOT_READY = 1500;

/** Where the capability's own name would not say it all. @type {Record<string, string | undefined>} */
const NAMES = {
  faces: "Faces and head",
  objects: "Phones and persons",
  "objects.verifier": "Phones, verified by a second model",
  "transcription.moonshine": "Transcription (on the server)",
  "transcription.deepgram": "Transcription (Deepgram)",
};

/** @param {string} name */
const nameOf = (name) => NAMES[name] ?? name.charAt(0).toUpperCase() + name.slice(1);

const list = element("capabilities");
const template = element("capability-template", HTMLTemplateElement);

let shown = "";

/**
 * @param {Capability[]} capabilities
 * @param {string} version
 */
function show(capabilities, version) {
  if (JSON.stringify(capabilities) === shown) return;
  shown = JSON.stringify(capabilities);
  list.replaceChildren(
    ...capabilities.map(({ name, available, reason, model, wanted = true }) => {
      const item = copyOf(template);
      item.dataset.available = String(available);
      item.dataset.capability = name;
      item.dataset.wanted = String(wanted);
      descendant(item, ".name").textContent = nameOf(name);
      descendant(item, ".availability").textContent = available ? "on" : wanted ? "off" : "not in use";
      descendant(item, ".detail").textContent = available ? model : reason;
      return item;
    }),
  );
  const off = capabilities.filter(({ available, wanted = true }) => wanted && !available).length;
  const summary = element("capability-summary");
  summary.textContent = off ? `${off} switched off` : capabilities.length ? "all on" : "";
  summary.toggleAttribute("data-off", off > 0);
  element("version").textContent = `Proctoring ${version}`;
}

/** @returns {Promise<Health | null>} null: no answer, or not a usable one */
async function readOrRefused() {
  try {
    return await readHealth();
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return { status: "refused", detail: error.message };
    return null;
  }
}

/**
 * Asks for the server's health again and again.
 *
 * @param {(status: string, detail: string) => void} onChange  `gone` when it does not answer; `locked`
 *   when it wants a token, `refused` when another; else the server's own words: `starting`, `ok`,
 *   `degraded`, `failed`, `draining`, `stopping`
 * @returns {() => void} asks at once, out of turn
 */
export function watchHealth(onChange) {
  let timer = 0;
  let looking = false;
  const look = async () => {
    if (looking) return;
    looking = true;
    clearTimeout(timer);
    const health = await readOrRefused();
    looking = false;
    if (health?.grant) {
      setGrant(health.grant);
      showPermitted();
    }
    if (health?.capabilities) show(health.capabilities, health.version ?? "");
    const locked = health?.access === "tokens" && !health.capabilities;
    const status = locked ? "locked" : (health?.status ?? "gone");
    const ready = status === "ok" || status === "degraded";
    timer = window.setTimeout(() => void look(), ready ? EVERY_MS : EVERY_MS_WHILE_NOT_READY);
    element("server-detail").textContent = health?.detail ?? "";
    onChange(status, health?.detail ?? "");
  };
  void look();
  return () => void look();
}
