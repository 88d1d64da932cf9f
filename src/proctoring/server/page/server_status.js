import { dismiss, notify, reasonOf } from "./notices.js";
import { askForToken, showPolicies } from "./setup.js";

/** What the person hears of the server's own state. */

/** What is wrong is in `server-detail`: a server that works with limits is no concern of a candidate. @type {Record<string, [kind: "error" | "warning" | "info", text: string] | undefined>} */
const TROUBLES = {
  locked: ["info", "This server asks for an access token: open your link again, or enter the token under Session."],
  refused: ["error", "The server does not take this page's access token"],
  gone: ["error", "The server does not answer. This page keeps trying."],
  starting: ["info", "The server is getting ready"],
  failed: ["error", "The server cannot analyse"],
  draining: ["warning", "The server is stopping"],
  stopping: ["warning", "The server is stopping"],
};

/**
 * Reports every change of the server's status; for `watchHealth`.
 *
 * @param {() => void} onReady  the server has become ready
 * @param {() => boolean} isSaid  whether the person knows already that it does not answer
 * @returns {(status: string, detail: string) => void}
 */
export function statusReporter(onReady, isSaid) {
  let before = "";
  return (status, detail) => {
    const changed = status !== before;
    before = status;
    if (status === "locked" || status === "refused") askForToken();
    const trouble = TROUBLES[status];
    if (status === "gone" && isSaid()) return;
    if (trouble) notify("server", trouble[0], detail ? `${trouble[1]}: ${detail}` : trouble[1]);
    else dismiss("server");
    if (!changed || !(status === "ok" || status === "degraded")) return;
    onReady();
    void showPolicies().catch((error) => {
      notify("policies", "warning", `The list of policies cannot be read: ${reasonOf(error)}.`);
    });
  };
}
