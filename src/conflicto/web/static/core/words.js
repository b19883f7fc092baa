// The page's words in its language, from the JSON that came with it.

export const boot = JSON.parse(document.getElementById("boot").textContent);

const plural = new Intl.PluralRules(boot.locale);
const number = new Intl.NumberFormat(boot.locale, { maximumFractionDigits: 2 });

const short = new Intl.NumberFormat(boot.locale, { notation: "compact", maximumFractionDigits: 1 });

export const shown = (value) => number.format(value);
export const compact = (value) => short.format(value);
export const clock = (instant) => new Date(instant).toLocaleTimeString(boot.locale, { hour: "2-digit", minute: "2-digit" });
export const day = (instant) => new Date(instant).toLocaleDateString(boot.locale, { day: "numeric", month: "short", year: "numeric" });

// The words that few pages ever need come when the others are shown.
export async function wordsForLater() {
  if (!boot.later) return;
  const words = await (await fetch(boot.later)).json();
  if (!words["problem.unavailable"]) throw new TypeError(boot.later);
  Object.assign(boot.texts, words);
  boot.later = null;
}

// `{name}` stands for a value; where `n` is one, the language's plural decides between `key.one`, `key.few` … and `key`.
export const t = (key, values) => text(boot.texts, key, values);

export function text(texts, key, values = {}) {
  const found = (values.n !== undefined && texts[`${key}.${plural.select(values.n)}`]) || texts[key] || key;
  return found.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? shown(value) : (value ?? "");
  });
}
