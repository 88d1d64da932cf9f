import { readPolicies } from "./api.js";
import { listCameras } from "./camera.js";

/** The form in which a session is set up: source, policy, id. */

const form = document.getElementById("setup-form");
const box = document.getElementById("setup");
const policy = document.getElementById("policy");
const sessionId = document.getElementById("session-id");
const camera = document.getElementById("camera");
const recording = document.getElementById("recording");

let descriptions = new Map();

function newSessionId() {
  const bytes = crypto.getRandomValues(new Uint8Array(4));
  return `page-${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

function showSource() {
  const kind = form.elements.source.value;
  document.getElementById("recording-field").hidden = kind !== "recording";
  document.getElementById("camera-field").hidden = kind !== "camera" || camera.options.length < 2;
}

function showSummary() {
  document.getElementById("setup-summary").textContent = box.open
    ? ""
    : `${sessionId.value}, policy ${policy.value || "default"}`;
  document.getElementById("policy-description").textContent = descriptions.get(policy.value) ?? "";
}

/** @param {() => void} onSubmit  Enter was pressed in the form */
export function prepareSetup(onSubmit) {
  sessionId.value = new URLSearchParams(location.search).get("session") ?? newSessionId();
  form.addEventListener("change", () => {
    showSource();
    showSummary();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    onSubmit();
  });
  box.addEventListener("toggle", showSummary);
  showSource();
  showSummary();
  void showCameras();
}

/** What the person chose, or null after showing what is missing. */
export function readSetup() {
  if (!form.checkValidity()) {
    box.open = true;
    form.reportValidity();
    return null;
  }
  const source = form.elements.source.value;
  const mirrored = source === "recording" && document.getElementById("recording-mirrored").checked;
  return {
    source,
    deviceId: camera.value || undefined,
    file: recording.files[0] ?? null,
    session: {
      session_id: sessionId.value,
      mirrored,
      ...(policy.value ? { policy: policy.value } : {}),
    },
  };
}

/** Opens the form at the file chooser: no file was chosen yet. */
export function askForFile() {
  box.open = true;
  recording.focus();
}

/** While a session exists, its id and policy stay as they are; while it runs, so does the source. */
export function lockSetup({ session, source }) {
  sessionId.disabled = session;
  policy.disabled = session;
  document.getElementById("recording-mirrored").disabled = session;
  camera.disabled = source;
  recording.disabled = source;
  for (const choice of form.elements.source) choice.disabled = source;
}

export function openSetup(open) {
  box.open = open;
  showSummary();
}

/** Another session needs another id: an ended one cannot be fed again. */
export function renewSessionId() {
  sessionId.value = newSessionId();
  showSummary();
}

/** Fills in the cameras by name, which the browser tells only once one was allowed. */
export async function showCameras() {
  const cameras = await listCameras();
  const chosen = camera.value;
  camera.replaceChildren(
    ...cameras.map(({ deviceId, label }, index) => new Option(label || `Camera ${index + 1}`, deviceId)),
  );
  if (cameras.some(({ deviceId }) => deviceId === chosen)) camera.value = chosen;
  showSource();
}

/** Fills in the policies that the server has; the first answer decides. */
export async function showPolicies() {
  if (policy.options.length) return;
  const { policies, default: preferred } = await readPolicies();
  descriptions = new Map(policies.map(({ name, description }) => [name, description]));
  policy.replaceChildren(...policies.map(({ name }) => new Option(name, name)));
  if (preferred) policy.value = preferred;
  showSummary();
}
