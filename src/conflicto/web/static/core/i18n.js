// Texts and formats in the language of the page, from the JSON in its HTML.

export const boot = JSON.parse(document.getElementById("boot").textContent);

const pluralRules = new Intl.PluralRules(boot.locale);
const numberFormat = new Intl.NumberFormat(boot.locale, { maximumFractionDigits: 2 });

const compactFormat = new Intl.NumberFormat(boot.locale, { notation: "compact", maximumFractionDigits: 1 });

export const formatNumber = (value) => numberFormat.format(value);
export const formatCompact = (value) => compactFormat.format(value);
export const formatTime = (instant) =>
  new Date(instant).toLocaleTimeString(boot.locale, { hour: "2-digit", minute: "2-digit" });
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

// Replaces `{name}` by a value. The plural rule of `n` selects among `key.one`, `key.few` … and `key`.
export const t = (key, values) => format(boot.texts, key, values);

export function format(texts, key, values = {}) {
  const found = (values.n !== undefined && texts[`${key}.${pluralRules.select(values.n)}`]) || texts[key] || key;
  return found.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? formatNumber(value) : (value ?? "");
  });
}
