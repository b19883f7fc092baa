// Tokens that arrive in the fragment of an address. One is kept only after the server took it, and one that works is replaced only if
// the person agrees: a link that somebody else made must not sign anybody out.

import { Client, Problem, tokens } from "../core/api.js";
import { t } from "../core/i18n.js";

// Keeps `#name=token` under `into`, if a GET of `path` with it succeeds.
export async function adoptToken(name, into, path) {
  const token = new URLSearchParams(location.hash.slice(1)).get(name);
  if (!token) return;
  const isValid = token === tokens.get(into) ? null : await isTokenValid(token, path);
  if (isValid === undefined && tokens.get(into)) return; // no answer: the address keeps it for another time
  history.replaceState(null, "", location.pathname + location.search);
  if (isValid === false || isValid === null) return;
  if (isValid && (await mayReplaceToken(into, path))) tokens.set(into, token);
  if (isValid === undefined) tokens.set(into, token); // nothing is lost by it
  if (!tokens.arePersistent) history.replaceState(null, "", `${location.pathname}${location.search}#${name}=${token}`); // or a reload would lose it
}

// Whether the token under `into` is missing, dead, or given up by the person.
export async function mayReplaceToken(into, path) {
  const current = tokens.get(into);
  return !current || (await isTokenValid(current, path)) === false || confirm(t("handover.replace"));
}

// Returns true or false as the server says, undefined if it does not answer now.
export async function isTokenValid(token, path) {
  try {
    await new Client("none").send("GET", path, undefined, { headers: { Authorization: `Bearer ${token}` } });
    return true;
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return problem.isTransient ? undefined : false;
  }
}
