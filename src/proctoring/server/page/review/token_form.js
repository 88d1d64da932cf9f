import { ApiError, readHealth } from "../api.js";
import { descendant } from "../element.js";
import { dismiss } from "../notices.js";
import { forgetToken, hasToken, setToken, takeTokenFromAddress, tokenKept } from "../token.js";
import { make } from "./elements.js";

const field = make("input", {
  id: "token",
  type: "password",
  autocomplete: "off",
  spellcheck: "false",
  required: true,
  "aria-describedby": "token-reason",
});
const reason = make("p", { id: "token-reason", role: "status" });
const form = make(
  "form",
  { class: "card filters token", id: "token-form", hidden: true },
  reason,
  make("label", {}, "Access token (scope: review)", field),
  make("button", { type: "submit", text: "Use it" }),
);
descendant(document, "main").before(form);
const signOut = make("button", {
  type: "button",
  class: "sign-out",
  text: "Sign out",
  hidden: true,
  onclick: () => void forgetToken().then(() => location.reload()),
});
descendant(document, ".bar").append(signOut);

/** What was asked for and needs a token, or another one. @type {Set<string>} */
const refused = new Set();

/**
 * Takes the token from the address, and asks for one where the server does. Resolves once links to the other
 * review pages need none.
 *
 * @param {() => void} again  a token was entered: ask the server again
 */
export async function prepareToken(again) {
  takeTokenFromAddress();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    setToken(field.value);
    field.value = "";
    refused.clear();
    form.hidden = true;
    await tokenKept();
    void offerSignOut();
    again();
  });
  await tokenKept();
  void offerSignOut();
}

/** Where a server asks for tokens and this page has one, a person can give it up. */
async function offerSignOut() {
  const health = await readHealth().catch(() => null);
  signOut.hidden = health?.access !== "tokens" || !health.capabilities;
}

/**
 * Asks for a token if that is what an answer was about; the form says why, so no notice needs to.
 *
 * @param {string} subject  of the notice about this request
 * @param {unknown} error
 * @returns {boolean} whether a token is asked for
 */
export function askForToken(subject, error) {
  if (!(error instanceof ApiError) || (error.status !== 401 && error.status !== 403)) return false;
  const given = hasToken() || error.status === 403;
  const text = given ? `This token was refused: ${error.detail}.` : "Enter a reviewer's token to see sessions.";
  // A live region: writing the same text again would make a screen reader repeat it.
  if (reason.textContent !== text) reason.textContent = text;
  refused.add(subject);
  form.hidden = false;
  dismiss(subject);
  return true;
}

/**
 * The request was answered: it needs no other token.
 *
 * @param {string} subject
 */
export function tokenAccepted(subject) {
  refused.delete(subject);
  form.hidden = refused.size === 0;
}
