// Parses numbers as people write them: comma or point, digits of any script, groups. Ambiguous numbers are refused.

import { boot } from "../core/i18n.js";

const DIGIT = /\p{Nd}/u;
const MINUS = /[-\u2010-\u2015\u2212\uFE58\uFE63\uFF0D]/g;
const UNSEEN = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;
const BLANK = /[\s\u00A0\u2009\u202F'’\u066C]/g; // between groups, whatever the language
const GROUPED = /^\d{1,3}([.,_])(?:\d{2,3}\1)*\d{3}$/;

// The group separator of the page's language: a point, a comma, or neither.
const GROUP = new Intl.NumberFormat(boot.locale, { numberingSystem: "latn" })
  .formatToParts(1234567)
  .find(({ type }) => type === "group")?.value;

/**
 * Returns the number in a text, null for an empty text, NaN for an invalid or ambiguous one.
 *
 * @param {string} text
 */
export function readNumber(text) {
  const plain = asciiOf(text.replace(UNSEEN, "").trim());
  if (plain === "") return null;
  const [, sign, rest] = /** @type {RegExpExecArray} */ (/^([-+]?)(.*)$/s.exec(plain));
  const digits = plainOf(rest);
  return digits === null ? Number.NaN : Number((sign === "-" ? "-" : "") + digits);
}

/** @param {string} text */
function asciiOf(text) {
  return [...text]
    .map((char) => (DIGIT.test(char) ? digitOf(char) : char))
    .join("")
    .replace(MINUS, "-")
    .replace(/[\u066B\uFF0C\u060C]/g, ",")
    .replace(/\uFF0E/g, ".")
    .replace(/^\uFF0B/, "+");
}

/**
 * Returns the value of a digit. Those of a script are consecutive, starting with zero, and may follow another script's.
 *
 * @param {string} char
 */
function digitOf(char) {
  const at = char.codePointAt(0) ?? 0;
  let first = at;
  while (DIGIT.test(String.fromCodePoint(first - 1))) first -= 1;
  return (at - first) % 10;
}

/**
 * Returns a number without groups and with a point, or null. `1,234` on an English page and `1.234` on a German one are
 * ambiguous: group separator or decimal mark.
 *
 * @param {string} text
 */
function plainOf(text) {
  const groups = text.replace(BLANK, "_");
  if (groups.includes("_")) {
    const [, whole, part = ""] = /^([\d_]*)(?:[.,](\d*))?$/.exec(groups) ?? [null, ""];
    return GROUPED.test(whole) ? `${whole.replaceAll("_", "")}.${part}0` : null;
  }
  const marks = text.match(/[.,]/g) ?? [];
  if (!/^[\d.,]*\d[\d.,]*$/.test(text)) return null;
  if (marks.length === 0) return text;
  const last = /** @type {string} */ (marks.at(-1));
  const [whole, part] = [text.slice(0, text.lastIndexOf(last)), text.slice(text.lastIndexOf(last) + 1)];
  if (marks.length === 1)
    return last === GROUP && /^[1-9]\d{0,2}$/.test(whole) && part.length === 3 ? null : `${whole || 0}.${part}0`;
  if (marks.every((each) => each === last)) return GROUPED.test(text) ? text.replaceAll(last, "") : null;
  return GROUPED.test(whole) && !whole.includes(last) ? `${whole.replace(/[.,]/g, "")}.${part}0` : null;
}
