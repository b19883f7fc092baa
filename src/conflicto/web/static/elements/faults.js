// Faults of views: one line in the console for each, with type, version and place, and one report to the server for its
// log and the host. Pages load this with the first fault.

import { Client } from "../core/api.js";
import { nameOf, typeOf } from "../core/types.js";

/** @import { FaultPlace, ViewFault } from "../shapes.js" */

const MAX_REPORTS = 20;
const MAX_CHARS = 500;
const MAX_SENT_CHARS = 300;
const MAX_DELAY_MS = 3_000; // a hall of phones has the same fault at once
const PLACE = /\/types\/[^/]+\/([^\s:)?#]+)[^\s:]*:(\d+)/;
const FILE = /^[\w-]+(\/[\w-]+)*\.js$/;
const TOKENS = { p: "seat", screen: "screen", s: "host" }; // by the place of a page
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
  setTimeout(() => void send(fault), Math.random() * MAX_DELAY_MS);
}

// A report that is lost has no effect on its page: the next phone sends one too.
/** @param {ViewFault} fault */
async function send({ type, view, name = "", message = "", file = "", line = 0 }) {
  const [, place = "", session] = /\/(p|screen|s)\/(\d+)/.exec(location.pathname) ?? [];
  const { version } = typeOf(type);
  if (!session || !version) return;
  const client = new Client(`${TOKENS[/** @type {keyof typeof TOKENS} */ (place)]}.${session}`);
  const report = {
    type: nameOf(type),
    version,
    view,
    error: /^[A-Za-z]{1,40}$/.test(name) ? name : "Error",
    message: message.slice(0, MAX_SENT_CHARS),
    file: FILE.test(file) && file.length <= 100 ? file : `${view}.js`,
    line: Math.min(Math.max(0, Math.trunc(line)), 1_000_000),
  };
  await client.post(`/sessions/${session}/view-faults`, report).catch(() => null);
}
