import { isAboutToken } from "./api.js";
import { element } from "./element.js";
import { dismiss, notify } from "./notices.js";

/**
 * @import { Answering } from "./answers.js"
 * @import { ServerError } from "./api.js"
 * @import { SocketState } from "./reconnecting_socket.js"
 */

/** Worst first: as long as one socket is away, the page is not fully connected. @type {SocketState[]} */
const WORST_FIRST = ["waiting", "connecting", "moving", "open"];

/** @type {Record<SocketState, string>} */
const TEXTS = {
  idle: "Not connected",
  connecting: "Connecting",
  open: "Connected",
  moving: "Connected", // for a moment; where it takes longer, nothing is answered, and that is said
  waiting: "Reconnecting",
  closed: "Not connected",
};

const chip = element("connection");

/**
 * Shows the worst of the sockets' states; sockets that are open but carry nothing are not connected.
 *
 * @param {SocketState[]} states
 * @param {Answering} answering
 * @returns {SocketState} the one that is shown
 */
export function showConnection(states, answering) {
  const worst = WORST_FIRST.find((state) => states.includes(state)) ?? "idle";
  const connected = worst === "open" || worst === "moving";
  const shown = connected && answering !== "answered" ? "waiting" : worst;
  const unanswered = { answered: "", silent: "No answer", offline: "Offline", refused: "Not accepted" }[answering];
  const text = shown === worst && (answering === "answered" || answering === "silent") ? TEXTS[worst] : unanswered;
  chip.dataset.state = shown === "moving" ? "open" : shown;
  // A live region: writing the same text again would make a screen reader repeat it.
  if (chip.textContent !== text) chip.textContent = text;
  return shown;
}

/** @type {Record<"offline" | "silent", string>} */
const NO_ANSWER = {
  offline: "This device is offline: nothing is checked until the network is back. Keep this page open.",
  silent: "The server does not answer: nothing is checked now. This page keeps trying; keep it open.",
};

/**
 * Says that nothing is checked, and why, as long as it is so.
 *
 * @param {Answering} answering
 */
export function sayAnswering(answering) {
  if (answering === "answered" || answering === "refused") {
    dismiss("connection");
    return;
  }
  dismiss("server"); // the same in other words
  notify("connection", "error", NO_ANSWER[answering]);
}

/**
 * Says why the server takes nothing, in its own words. Of tokens `server_status.js` speaks.
 *
 * @param {ServerError} error
 */
export function sayRefused(error) {
  if (error.code === "unauthorised") {
    dismiss("connection");
    return;
  }
  const because = error.detail && `: ${error.detail}`;
  const text = isAboutToken(error)
    ? `This page has no access${because}. Open your link again, or enter a token under Session.`
    : `The server answers, but takes no pictures now${because}. This page keeps trying; keep it open.`;
  notify("connection", "error", text);
}
