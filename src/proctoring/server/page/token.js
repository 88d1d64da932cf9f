/**
 * The token that this page shows to a server that asks for one. It comes from the address's fragment
 * (`#token=...`), which browsers do not send, or from the form; it is kept in memory alone.
 */

let token = "";

/** Takes the token out of the address, so that it is neither kept in the history nor copied with it. */
export function takeTokenFromAddress() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const given = fragment.get("token");
  if (given === null) return;
  token = given.trim();
  fragment.delete("token");
  const rest = fragment.toString();
  history.replaceState(history.state, "", `${location.pathname}${location.search}${rest && `#${rest}`}`);
}

/** @param {string} text */
export function setToken(text) {
  token = text.trim();
}

export const hasToken = () => token !== "";

/** Headers of a request. */
export const authorisation = () => (token ? { authorization: `Bearer ${token}` } : null);

/** Subprotocols of a socket: browsers cannot set its headers. */
export const protocols = () => (token ? ["proctoring", `bearer.${token}`] : []);

/** What a link to another page of this server ends with, so that it need not ask for the token again. */
export const tokenFragment = () => (token ? `#${new URLSearchParams({ token })}` : "");
