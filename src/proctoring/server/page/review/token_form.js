import { ApiError, readHealth } from "../api.js";
import { descendant } from "../element.js";
import { forgetToken, setToken, takeTokenFromAddress, tokenKept } from "../token.js";
import { make } from "./elements.js";

const field = make("input", {
  id: "token",
  type: "password",
  autocomplete: "off",
  spellcheck: "false",
  required: true,
});
const form = make(
  "form",
  { class: "card filters token", id: "token-form", hidden: true },
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
 * Asks for a token if that is what an answer was about.
 *
 * @param {unknown} error
 */
export function askForToken(error) {
  if (error instanceof ApiError && (error.status === 401 || error.status === 403)) form.hidden = false;
}
