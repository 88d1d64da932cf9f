/**
 * The token that this page shows to a server that asks for one. It comes from the address's fragment
 * (`#token=...`), which browsers do not send, or from the form. The page keeps it in memory; the browser
 * keeps it in a cookie that no script can read, so that other pages of the server and a reload have it.
 */

let token = "";
/** Settles when the browser has the cookie, or will not get it. @type {Promise<void>} */
let kept = Promise.resolve();

/**
 * Takes the token out of the address, so that it is neither kept in the history nor copied with it. A link
 * that is opened in a tab that shows this page already changes the fragment alone: the page is loaded again.
 */
export function takeTokenFromAddress() {
  addEventListener("hashchange", () => {
    if (new URLSearchParams(location.hash.slice(1)).has("token")) location.reload();
  });
  const fragment = new URLSearchParams(location.hash.slice(1));
  const given = fragment.get("token");
  if (given === null) return;
  fragment.delete("token");
  const rest = fragment.toString();
  history.replaceState(history.state, "", `${location.pathname}${location.search}${rest && `#${rest}`}`);
  setToken(given);
}

/** @param {string} text */
export function setToken(text) {
  token = text.trim();
  if (token) kept = keep(token);
}

export const hasToken = () => token !== "";

/** Resolves once links to other pages of this server need no token of their own. */
export const tokenKept = () => kept;

/** Headers of a request. */
export const authorisation = () => (token ? { authorization: `Bearer ${token}` } : null);

/** Subprotocols of a socket: browsers cannot set its headers. */
export const protocols = () => (token ? ["proctoring", `bearer.${token}`] : []);

/** Forgets the token, here and in the browser's cookie. */
export async function forgetToken() {
  token = "";
  await fetch(new URL("api/sign-in", document.baseURI), { method: "DELETE" });
}

/**
 * Without cookies, or with a token that is not valid, the page goes on with what it has in memory, and hears
 * from other answers what is wrong.
 *
 * @param {string} given
 */
async function keep(given) {
  try {
    await fetch(new URL("api/sign-in", document.baseURI), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token: given }),
    });
  } catch {
    // The server does not answer: other requests say so.
  }
}
