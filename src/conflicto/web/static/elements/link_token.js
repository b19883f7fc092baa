// Tokens in the fragment of a link. A token is stored only after the server accepted it. A working token is
// replaced only with the person's consent, so that a foreign link signs nobody out.

import { Client, Problem, tokens } from "../core/api.js";
import { t } from "../core/i18n.js";

/**
 * Stores the token of `#name=token` under `into`, if a GET of `path` with it succeeds.
 *
 * @param {string} name
 * @param {string} into
 * @param {string} path
 */
export async function adoptToken(name, into, path) {
  const token = new URLSearchParams(location.hash.slice(1)).get(name);
  if (!token) return;
  const isValid = token === tokens.get(into) ? null : await isTokenValid(token, path);
  if (isValid === undefined && tokens.get(into)) return; // no response: the address keeps the token
  history.replaceState(null, "", location.pathname + location.search);
  if (isValid === false || isValid === null) return;
  if (isValid && (await mayReplaceToken(into, path))) tokens.set(into, token);
  if (isValid === undefined) tokens.set(into, token); // no other token is lost
  if (!tokens.arePersistent) history.replaceState(null, "", `${location.pathname}${location.search}#${name}=${token}`); // a reload would lose it otherwise
}

const ARRIVAL_MS = 5_000;

/**
 * Waits for a token that another tab stores: the operator's page makes a link while its target opens.
 *
 * @param {string} name
 */
export async function awaitToken(name) {
  history.replaceState(null, "", location.pathname + location.search);
  const until = Date.now() + ARRIVAL_MS;
  while (!tokens.get(name) && Date.now() < until) await new Promise((go) => setTimeout(go, 50));
}

/**
 * Returns whether the token under `into` is missing, invalid, or replaced by consent.
 *
 * @param {string} into
 * @param {string} path
 */
export async function mayReplaceToken(into, path) {
  const current = tokens.get(into);
  return !current || (await isTokenValid(current, path)) === false || confirm(t("handover.replace"));
}

/**
 * Returns whether the server accepts a token, undefined without a response.
 *
 * @param {string} token
 * @param {string} path
 */
export async function isTokenValid(token, path) {
  try {
    await new Client("none").send("GET", path, undefined, { headers: { Authorization: `Bearer ${token}` } });
    return true;
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return problem.isTransient ? undefined : false;
  }
}
