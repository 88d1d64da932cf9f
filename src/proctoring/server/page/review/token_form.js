import { ApiError } from "../api.js";
import { descendant } from "../element.js";
import { setToken, takeTokenFromAddress } from "../token.js";
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

/**
 * Takes the token from the address, and asks for one where the server does.
 *
 * @param {() => void} again  a token was entered: ask the server again
 */
export function prepareToken(again) {
  takeTokenFromAddress();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    setToken(field.value);
    form.hidden = true;
    again();
  });
}

/**
 * Asks for a token if that is what an answer was about.
 *
 * @param {unknown} error
 */
export function askForToken(error) {
  if (error instanceof ApiError && (error.status === 401 || error.status === 403)) form.hidden = false;
}
