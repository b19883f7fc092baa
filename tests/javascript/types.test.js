import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./browser.js";

const TYPES = {
  poll: {
    title: "Poll",
    views: [],
    texts: { "left.one": "{n} left", left: "{n} of many left" },
    config_defaults: { multiple: false },
    value_sources: { choices: { in: "/options/*/id", label: "/text" } },
  },
  scale: {
    title: "Scale",
    value_sources: { value: { min: "/min", max: "/max" } },
    config_defaults: { min: 1, max: 3 },
  },
  stars: { title: "Stars", value_sources: { value: { from: 1, to: 5 } } },
  sizes: { value_sources: { value: { values: [{ value: "s", text: "Small" }] } } },
};
const OPTIONS = [
  { id: "a", text: "Apple" },
  { id: "b", text: "Pear" },
];

test("values are the options of a config, with their texts and rows", async () => {
  const { choicesOf, valuesOf } = await load("core/types.js", { types: TYPES });
  const activity = { type: "poll", config: { options: OPTIONS } };
  const wanted = OPTIONS.map((row) => ({ value: row.id, text: row.text, row }));
  assert.deepEqual(valuesOf(activity, "choices"), wanted);
  assert.deepEqual(choicesOf(activity), wanted);
  assert.deepEqual(valuesOf(activity, "unknown"), []);
});

test("values of a scale are its integers, with the type's defaults", async () => {
  const { valuesOf } = await load("core/types.js", { types: TYPES });
  const values = (type, config) => valuesOf({ type, config }, "value").map(({ value }) => value);
  assert.deepEqual(values("scale", {}), [1, 2, 3]);
  assert.deepEqual(values("scale", { min: -1, max: 1 }), [-1, 0, 1]);
  assert.deepEqual(values("scale", { min: 0, max: 100 }), []); // too many for a chart of counts
  assert.deepEqual(values("scale", { min: 0.5, max: 2 }), []);
  assert.deepEqual(values("stars", {}), [1, 2, 3, 4, 5]);
  assert.deepEqual(values("sizes", {}), ["s"]);
});

test("a type that this server does not have has its name as title, and no values", async () => {
  const { titleOf, typeOf, valuesOf } = await load("core/types.js", { types: TYPES });
  assert.equal(titleOf("lunch"), "lunch");
  assert.deepEqual(typeOf("lunch").views, []);
  assert.deepEqual(valuesOf({ type: "lunch", config: "text" }, "value"), []);
});

test("texts of a type have plurals too", async () => {
  const { textOf } = await load("core/types.js", { types: TYPES });
  assert.deepEqual([textOf("poll", "left", { n: 1 }), textOf("poll", "left", { n: 2 })], ["1 left", "2 of many left"]);
});

test("pointers name every element, and keys with a slash or a tilde", async () => {
  const { valuesAt } = await load("core/types.js");
  const values = (config, pointer) => valuesAt(config, pointer).map(({ value }) => value);
  assert.deepEqual(values({ "a/b": { "c~d": [1, 2] } }, "/a~1b/c~0d/*"), [1, 2]);
  assert.deepEqual(values({ rows: [{ at: { id: 1 } }, null, { at: { id: 2 } }] }, "/rows/*/at/id"), [1, 2]);
  assert.deepEqual(values({}, "/rows/*/id"), []);
  assert.deepEqual(values({ one: 5 }, "/one"), [5]);
});
