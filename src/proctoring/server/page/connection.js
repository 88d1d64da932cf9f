import { element } from "./element.js";

/** @import { SocketState } from "./reconnecting_socket.js" */

/** Worst first: as long as one socket is away, the page is not fully connected. @type {SocketState[]} */
const WORST_FIRST = ["waiting", "connecting", "open"];

/** @type {Record<SocketState, string>} */
const TEXTS = {
  idle: "Not connected",
  connecting: "Connecting",
  open: "Connected",
  waiting: "Reconnecting",
  closed: "Not connected",
};

const chip = element("connection");

/**
 * Shows the worst of the sockets' states.
 *
 * @param {SocketState[]} states
 * @returns {SocketState} the one that is shown
 */
export function showConnection(states) {
  const worst = WORST_FIRST.find((state) => states.includes(state)) ?? "idle";
  chip.dataset.state = worst;
  // A live region: writing the same text again would make a screen reader repeat it.
  if (chip.textContent !== TEXTS[worst]) chip.textContent = TEXTS[worst];
  return worst;
}
