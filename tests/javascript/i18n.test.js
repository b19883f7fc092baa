import assert from "node:assert/strict";
import { test } from "node:test";

import { answerWith, json, load } from "./browser.js";

const loadWith = (locale, texts, more = {}) => load("core/i18n.js", { locale, texts, ...more });

test("a name in braces is replaced by its value", async () => {
  const { t } = await loadWith("en", { hello: "Hello {name}, {name}!" });
  assert.equal(t("hello", { name: "Ann" }), "Hello Ann, Ann!");
});

test("a value that holds braces or a dollar is inserted as it is", async () => {
  const { t } = await loadWith("en", { hello: "Hello {name}, you are {n}" });
  assert.equal(t("hello", { name: "{n} $& $1", n: 2 }), "Hello {n} $& $1, you are 2");
});

test("a missing or null value is empty, and zero is shown", async () => {
  const { t } = await loadWith("en", { all: "[{a}] [{b}] [{c}]" });
  assert.equal(t("all", { b: null, c: 0 }), "[] [] [0]");
});

test("a missing key returns the key", async () => {
  const { t } = await loadWith("en", {});
  assert.equal(t("state.none"), "state.none");
  assert.equal(t("state.none", { n: 1 }), "state.none");
});

test("English has one form for 1 and another for the rest", async () => {
  const { t } = await loadWith("en", { "people.one": "{n} person", people: "{n} people" });
  assert.deepEqual(
    [0, 1, 2].map((n) => t("people", { n })),
    ["0 people", "1 person", "2 people"],
  );
});

test("French counts zero as one", async () => {
  const { t } = await loadWith("fr", { "people.one": "{n} personne", people: "{n} personnes" });
  assert.deepEqual(
    [0, 1, 2].map((n) => t("people", { n })),
    ["0 personne", "1 personne", "2 personnes"],
  );
});

test("Arabic has six forms", async () => {
  const forms = ["zero", "one", "two", "few", "many", "other"];
  const texts = Object.fromEntries(forms.map((form) => [`people.${form}`, form]));
  const { t } = await loadWith("ar", texts);
  assert.deepEqual(
    [0, 1, 2, 3, 11, 100].map((n) => t("people", { n })),
    forms,
  );
});

test("a form that the catalog lacks is the general text", async () => {
  const { t } = await loadWith("ar", { people: "general" });
  assert.equal(t("people", { n: 2 }), "general");
});

test("numbers are written in the language of the page", async () => {
  const written = [];
  for (const locale of ["en", "de", "ar-EG"]) {
    const { t } = await loadWith(locale, { sum: "{n}" });
    written.push(t("sum", { n: 1234.567 }));
  }
  assert.deepEqual(written, ["1,234.57", "1.234,57", "١٬٢٣٤٫٥٧"]);
});

test("the texts that are loaded later join the others, once", async () => {
  const { loadDeferredTexts, t } = await loadWith("en", { here: "Here" }, { deferred: "~/s/1/texts.json" });
  const requests = answerWith(() => json({ "problem.unavailable": "Unavailable" }));
  await loadDeferredTexts();
  await loadDeferredTexts();
  assert.deepEqual(
    requests.map(({ address }) => address),
    ["~/s/1/texts.json"],
  );
  assert.deepEqual([t("here"), t("problem.unavailable")], ["Here", "Unavailable"]);
});

test("a captive portal's reply is no catalog, and the next call asks again", async () => {
  const { loadDeferredTexts, t } = await loadWith("en", {}, { deferred: "~/s/1/texts.json" });
  const requests = answerWith((_, count) => json(count === 1 ? { login: "here" } : { "problem.unavailable": "No" }));
  await assert.rejects(loadDeferredTexts(), TypeError);
  assert.equal(t("login"), "login");
  await loadDeferredTexts();
  assert.deepEqual([requests.length, t("problem.unavailable")], [2, "No"]);
});

test("an axis shows years in full, and shortens from five digits", async () => {
  const { formatCompact } = await loadWith("en", {});
  assert.deepEqual([1815, -1999, 0.25, 9999, 10_000, 1_250_000].map(formatCompact), [
    "1815",
    "-1999",
    "0.3",
    "9999",
    "10K",
    "1.3M",
  ]);
});
