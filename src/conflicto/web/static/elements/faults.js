// Faults of views: one line in the console for each, with type, version and place. Pages load this with the first one.

import { typeOf } from "../core/types.js";

/** @import { FaultPlace, ViewFault } from "../shapes.js" */

const MAX_REPORTS = 20;
const MAX_CHARS = 500;
const PLACE = /\/types\/[^/]+\/([^\s:)?#]+)[^\s:]*:(\d+)/;
const reported = new Set();

/** @param {unknown} text */
const cut = (text) => String(text ?? "").slice(0, MAX_CHARS);

/**
 * Returns the name, message and place of an error. `file` and `line` hold where its stack names no file of a type.
 *
 * @param {any} error
 * @param {string} [file] as an address
 * @param {number} [line]
 * @returns {FaultPlace}
 */
export function faultOf(error, file = "", line = 0) {
  const [, found = file.split("/").at(-1), at = line] = PLACE.exec(error?.stack ?? "") ?? [];
  return {
    name: cut(error?.name ?? "Error"),
    message: cut(error?.message ?? error),
    file: cut(found),
    line: Number(at) || 0,
  };
}

/**
 * Returns a fault as one line, such as `wave 1, participant: TypeError: no (participant.js:4)`.
 *
 * @param {ViewFault} fault
 */
export function describeFault({ type, view, name = "Error", message = "", file = "", line = 0 }) {
  const place = file ? ` (${file}${line ? `:${line}` : ""})` : "";
  return `${type} ${typeOf(type).version ?? ""}, ${view}: ${name}${message ? `: ${message}` : ""}${place}`;
}

/** @param {ViewFault} fault */
export function reportFault(fault) {
  const text = describeFault(fault);
  if (reported.has(text) || reported.size >= MAX_REPORTS) return;
  reported.add(text);
  // oxlint-disable-next-line no-console -- the place where an author looks
  console.error(text);
}
