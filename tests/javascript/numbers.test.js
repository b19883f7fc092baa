import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./browser.js";

// The text, and its number for every language; NaN is refused.
const EVERYWHERE = [
  ["", null],
  ["  ", null],
  ["\u200F", null],
  ["5", 5],
  ["-5", -5],
  ["+5", 5],
  ["-0.5", -0.5],
  [".5", 0.5],
  [",5", 0.5],
  ["-,5", -0.5],
  ["5.", 5],
  ["3,5", 3.5],
  ["3.5", 3.5],
  ["007", 7],
  ["0,123", 0.123],
  ["1234,567", 1234.567],
  ["\u22125", -5],
  ["\u20135", -5],
  ["\uFF0D\uFF15", -5],
  ["\uFF0B\uFF15\uFF0E\uFF15", 5.5],
  ["\u061C-\u0665", -5],
  ["\u0663\u066B\u0665", 3.5],
  ["1\u066C234\u066C567", 1_234_567],
  ["1 000", 1000],
  ["1.234.567.890", 1_234_567_890],
  ["1\u202F000\u00A0000", 1_000_000],
  ["1'000.5", 1000.5],
  ["1’000,5", 1000.5],
  ["1,234.5", 1234.5],
  ["1.234,5", 1234.5],
  ["1,234,567", 1_234_567],
  ["1.234.567", 1_234_567],
  ["12,34,567.8", 1_234_567.8],
  ["1e3", Number.NaN],
  ["0x10", Number.NaN],
  ["--5", Number.NaN],
  ["5-", Number.NaN],
  ["-", Number.NaN],
  [".", Number.NaN],
  ["1 2", Number.NaN],
  ["1\n2", Number.NaN],
  ["1 2345", Number.NaN],
  ["1,2,3", Number.NaN],
  ["1.2.3", Number.NaN],
  ["1,234,5", Number.NaN],
  ["1.2,34.5", Number.NaN],
  ["five", Number.NaN],
  ["5kg", Number.NaN],
  ["\u221E", Number.NaN],
  ["\u00BD", Number.NaN],
  ["NaN", Number.NaN],
  ["Infinity", Number.NaN],
];

// `1,234` and `1.234`: refused where the mark may also separate groups.
const BY_LANGUAGE = {
  en: [Number.NaN, 1.234],
  de: [1.234, Number.NaN],
  es: [1.234, Number.NaN],
  fr: [1.234, 1.234],
  pt: [1.234, Number.NaN],
  "de-CH": [1.234, 1.234],
  ar: [Number.NaN, 1.234],
};

for (const [locale, [comma, point]] of Object.entries(BY_LANGUAGE)) {
  test(`typed numbers on a page in ${locale}`, async () => {
    const { readNumber } = await load("sdk/numbers.js", { locale });
    for (const [text, number] of [...EVERYWHERE, ["1,234", comma], ["1.234", point]])
      assert.deepEqual(readNumber(text), number, JSON.stringify(text));
  });
}

test("what the page writes in digits of any script is read back", async () => {
  const { readNumber } = await load("sdk/numbers.js");
  const systems = Intl.supportedValuesOf("numberingSystem");
  const read = systems.filter((numberingSystem) => {
    const format = new Intl.NumberFormat("en", { numberingSystem, useGrouping: false, maximumFractionDigits: 2 });
    const { value: digits } = format.formatToParts(1).find(({ type }) => type === "integer");
    if (!/^\p{Nd}$/u.test(digits)) return false; // letters and pictures, such as Roman numerals
    for (const number of [0, 7, 1234567890, -42.5, 0.25])
      assert.equal(readNumber(format.format(number)), number, `${numberingSystem}: ${format.format(number)}`);
    return true;
  });
  assert.ok(read.length > 50, `only ${read.length} scripts`);
  for (const script of ["arab", "beng", "deva", "fullwide", "mathmono", "thai"])
    assert.ok(read.includes(script), script);
});

test("what a language writes with groups and a fraction is read back", async () => {
  for (const locale of ["en", "de", "es", "fr", "pt", "ar", "ar-EG", "hi", "de-CH", "sv", "pl"]) {
    const { readNumber } = await load("sdk/numbers.js", { locale });
    const text = new Intl.NumberFormat(locale).format(1_234_567.25);
    assert.equal(readNumber(text), 1_234_567.25, `${locale}: ${text}`);
  }
});
