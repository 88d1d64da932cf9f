import { setToken, takeTokenFromAddress } from "../token.js";

const form = document.getElementById("token-form");

/**
 * Takes the token from the address, and asks for one where the server does.
 *
 * @param {() => void} again  a token was entered: ask the server again
 */
export function prepareToken(again) {
  takeTokenFromAddress();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    setToken(document.getElementById("token").value);
    form.hidden = true;
    again();
  });
}

/** Asks for a token if that is what an answer was about. */
export function askForToken(error) {
  if (error.status === 401 || error.status === 403) form.hidden = false;
}
