// Tokens that arrive in the fragment of an address. One is kept only after the server took it, and one that works is replaced only if
// the person agrees: a link that somebody else made must not sign anybody out.

import { Caller, Problem, tokens } from "../core/api.js";
import { t } from "../core/words.js";

// Keeps `#name=token` under `into`, if a GET of `path` with it succeeds.
export async function takeFromAddress(name, into, path) {
  const given = new URLSearchParams(location.hash.slice(1)).get(name);
  if (!given) return;
  const isTaken = given === tokens.get(into) ? null : await works(given, path);
  if (isTaken === undefined && tokens.get(into)) return; // no answer: the address keeps it for another time
  history.replaceState(null, "", location.pathname + location.search);
  if (isTaken === false || isTaken === null) return;
  if (isTaken && (await mayReplace(into, path))) tokens.set(into, given);
  if (isTaken === undefined) tokens.set(into, given); // nothing is lost by it
  if (!tokens.areKept) history.replaceState(null, "", `${location.pathname}${location.search}#${name}=${given}`); // or a reload would lose it
}

// Whether the token under `into` is missing, dead, or given up by the person.
export async function mayReplace(into, path) {
  const held = tokens.get(into);
  return !held || (await works(held, path)) === false || confirm(t("handover.replace"));
}

// Returns true or false as the server says, undefined if it does not answer now.
export async function works(token, path) {
  try {
    await new Caller("none").send("GET", path, undefined, { headers: { Authorization: `Bearer ${token}` } });
    return true;
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return problem.passes ? undefined : false;
  }
}
