// Texts and formats in the language of the page, from the JSON in its HTML.

/** @import { Boot, Texts, Values } from "../shapes.js" */

/** @type {Boot} */
export const boot = JSON.parse(document.getElementById("boot")?.textContent ?? "");

const pluralRules = new Intl.PluralRules(boot.locale);
const numberFormat = new Intl.NumberFormat(boot.locale, { maximumFractionDigits: 2 });

const plainFormat = new Intl.NumberFormat(boot.locale, { useGrouping: false, maximumFractionDigits: 1 });
const compactFormat = new Intl.NumberFormat(boot.locale, { notation: "compact", maximumFractionDigits: 1 });

/** @param {number} value */
export const formatNumber = (value) => numberFormat.format(value);
/**
 * Returns a short text for an axis. Up to four digits stay, so that a year is one.
 *
 * @param {number} value
 */
export const formatCompact = (value) => (Math.abs(value) < 10_000 ? plainFormat : compactFormat).format(value);
/** @param {string | number | Date} instant */
export const formatTime = (instant) =>
  new Date(instant).toLocaleTimeString(boot.locale, { hour: "2-digit", minute: "2-digit" });
/** @param {string | number | Date} instant */
export const formatDate = (instant) =>
  new Date(instant).toLocaleDateString(boot.locale, { day: "numeric", month: "short", year: "numeric" });

// Loads the texts that are not part of the HTML.
export async function loadDeferredTexts() {
  if (!boot.deferred) return;
  const words = await (await fetch(boot.deferred)).json();
  if (!words["problem.unavailable"]) throw new TypeError(boot.deferred);
  Object.assign(boot.texts, words);
  boot.deferred = null;
}

/**
 * Replaces `{name}` by a value. The plural rule of `n` selects among `key.one`, `key.few` … and `key`.
 *
 * @param {string} key
 * @param {Values} [values]
 */
export const t = (key, values) => format(boot.texts, key, values);

/**
 * @param {Texts} texts
 * @param {string} key
 * @param {Values} [values]
 * @returns {string}
 */
export function format(texts, key, values = {}) {
  const found = (values.n !== undefined && texts[`${key}.${pluralRules.select(values.n)}`]) || texts[key] || key;
  return found.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? formatNumber(value) : (value ?? "");
  });
}
