// Faults of views: one line in the console for each, with type, version and place.

import { typeOf } from "../core/types.js";

/** @import { ViewFault } from "../shapes.js" */

const MAX_REPORTS = 20;
const reported = new Set();

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
