import { readPolicies } from "./api.js";
import { listCameras } from "./camera.js";
import { element } from "./element.js";
import { listMicrophones } from "./microphone.js";
import { onlySession, permits } from "./permitted.js";

/** The form in which a session is set up: source, policy, id. */

/** @import { SessionRequest } from "./api.js" */

/**
 * What the person chose.
 *
 * @typedef {object} Setup
 * @property {"camera" | "recording"} source
 * @property {string} deviceId  of the camera, "" for any
 * @property {string | null} microphone  its id, "" for any, null for none
 * @property {File | null} file  the recording
 * @property {SessionRequest} session
 */

const form = element("setup-form", HTMLFormElement);
const box = element("setup", HTMLDetailsElement);
const policy = element("policy", HTMLSelectElement);
const sessionId = element("session-id", HTMLInputElement);
const camera = element("camera", HTMLSelectElement);
const microphone = element("microphone", HTMLSelectElement);
const recording = element("recording", HTMLInputElement);
const recordingMirrored = element("recording-mirrored", HTMLInputElement);
const transcribe = element("transcribe", HTMLInputElement);
/** The choice of source, as radio buttons. */
const sources = [...form.querySelectorAll("input")].filter((input) => input.name === "source");

/** The choice to send no sound. No device has this id. */
const NO_MICROPHONE = "none";

/** Of policies, by name. @type {Map<string, string>} */
let descriptions = new Map();

/** Whether the server has told its policies. */
let listed = false;

/** @returns {Setup["source"]} */
const chosenSource = () =>
  sources.some((choice) => choice.checked && choice.value === "recording") ? "recording" : "camera";

function newSessionId() {
  const bytes = crypto.getRandomValues(new Uint8Array(4));
  return `page-${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

function showSource() {
  const kind = chosenSource();
  element("recording-field").hidden = kind !== "recording";
  element("microphone-field").hidden = kind !== "camera";
  element("camera-field").hidden = kind !== "camera" || camera.options.length < 2;
}

function showSummary() {
  const chosen = permits("admin") ? `, policy ${policy.value || "default"}` : "";
  element("setup-summary").textContent = box.open ? "" : sessionId.value + chosen;
  element("policy-description").textContent = descriptions.get(policy.value) ?? "";
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
  void showDevices();
}

/**
 * What the person chose, or null after showing what is missing.
 *
 * @returns {Setup | null}
 */
export function readSetup() {
  if (!form.checkValidity()) {
    box.open = true;
    form.reportValidity();
    return null;
  }
  const only = onlySession();
  if (only !== null) sessionId.value = only;
  const source = chosenSource();
  const mirrored = source === "recording" && recordingMirrored.checked;
  return {
    source,
    deviceId: camera.value,
    microphone: microphone.value === NO_MICROPHONE ? null : microphone.value,
    file: recording.files?.[0] ?? null,
    session: {
      session_id: sessionId.value,
      mirrored,
      ...(policy.value && permits("admin") ? { policy: policy.value } : {}),
      ...(transcribe.checked && permits("admin")
        ? { accommodations: { transcription: { engine: "moonshine", publish: true } } }
        : {}),
    },
  };
}

/**
 * Shows a session that the page had before it was loaded again.
 *
 * @param {SessionRequest} session
 */
export function showSession({ session_id: id, policy: name }) {
  sessionId.value = id;
  if (name && ![...policy.options].some(({ value }) => value === name)) policy.append(new Option(name, name));
  if (name) policy.value = name;
  showSummary();
}

/** What the token does not permit to choose. */
export function showPermitted() {
  const only = onlySession();
  sessionId.readOnly = only !== null;
  if (only !== null) sessionId.value = only;
  showSummary();
}

/** Opens the form at the file chooser: no file was chosen yet. */
export function askForFile() {
  box.open = true;
  recording.focus();
}

/** Shows where a token is entered: the server wants one. */
export function askForToken() {
  element("token-field").hidden = false;
  box.open = true;
}

/**
 * While a session exists, its id and policy stay as they are; while it runs, so does the source.
 *
 * @param {{session: boolean, source: boolean}} locked
 */
export function lockSetup({ session, source }) {
  sessionId.disabled = session;
  policy.disabled = session;
  recordingMirrored.disabled = session;
  transcribe.disabled = session;
  camera.disabled = source;
  microphone.disabled = source;
  recording.disabled = source;
  for (const choice of sources) choice.disabled = source;
}

/** @param {boolean} open */
export function openSetup(open) {
  box.open = open;
  showSummary();
}

/** Another session needs another id: an ended one cannot be fed again. */
export function renewSessionId() {
  sessionId.value = onlySession() ?? newSessionId();
  showSummary();
}

/** @type {(device: MediaDeviceInfo) => [name: string, value: string]} */
const optionOf = ({ label, deviceId }) => [label, deviceId];

/** Fills in cameras and microphones by name, which the browser tells only once one was allowed. */
export async function showDevices() {
  const [cameras, microphones] = [await listCameras(), await listMicrophones()];
  fill(
    camera,
    cameras.map(({ deviceId, label }, index) => [label || `Camera ${index + 1}`, deviceId]),
  );
  fill(microphone, [
    ["The usual one", ""],
    ...microphones.filter(({ label, deviceId }) => label && deviceId !== "default").map(optionOf),
    ["None: send no sound", NO_MICROPHONE],
  ]);
  showSource();
}

/**
 * Offers these names and values; what was chosen stays chosen if it is still there.
 *
 * @param {HTMLSelectElement} select
 * @param {[name: string, value: string][]} choices
 */
function fill(select, choices) {
  const chosen = select.value;
  select.replaceChildren(...choices.map(([name, value]) => new Option(name, value)));
  if (choices.some(([, value]) => value === chosen)) select.value = chosen;
}

/** Fills in the policies that the server has; the first answer decides. */
export async function showPolicies() {
  if (listed) return;
  const { policies, default: preferred } = await readPolicies();
  descriptions = new Map(policies.map(({ name, description }) => [name, description]));
  const chosen = policy.value || preferred;
  policy.replaceChildren(...policies.map(({ name }) => new Option(name, name)));
  if (chosen) policy.value = chosen;
  listed = true;
  showSummary();
}
