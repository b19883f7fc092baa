import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { load, loadBeside } from "./browser.js";

const DECLARED = JSON.parse(
  readFileSync(new URL("../../src/conflicto/activity_types/folder_files/charts.json", import.meta.url)),
);
const OPTIONS = {
  options: [
    { id: "a", name: "Apple" },
    { id: "b", name: "Pear" },
  ],
  unit: "kg",
};
const NAMED = { in: "/options/*/id", label: "/name" };
const RESULTS = {
  amounts: {
    op: "amounts",
    answers: 2,
    options: [
      { value: "a", answers: 2, sum: 150, mean: 75, share: 0.75 },
      { value: "b", answers: 2, sum: 50, mean: 25, share: 0.25 },
    ],
  },
  count: { op: "count", answers: 3, values: [{ value: "a", count: 3 }], others: 0, truncated: false },
  grid: { op: "grid", answers: 1, columns: 2, rows: 2, cells: [{ name: "Heart", column: 1, row: 2, count: 1 }] },
  median: {
    op: "median",
    answers: 3,
    min: 1,
    lower_quartile: 2,
    median: 3,
    upper_quartile: 4,
    max: 5,
    percentiles: [{ percent: 90, value: 4.5 }],
  },
  quartiles: {
    op: "quartiles",
    answers: 2,
    options: [
      { value: "a", answers: 2, min: 1, lower_quartile: 2, median: 3, upper_quartile: 4, max: 5, percentiles: [] },
      {
        value: "b",
        answers: 0,
        min: null,
        lower_quartile: null,
        median: null,
        upper_quartile: null,
        max: null,
        percentiles: [],
      },
    ],
  },
  number: { op: "number", answers: 2, mean: 2, min: 1, max: 3, histogram: [{ from: 1, to: 3, count: 2 }] },
  pairs: { op: "pairs", answers: 1, pairs: [{ first: "a", second: "b", count: 1 }], truncated: false },
  rank: { op: "rank", answers: 1, ranking: [{ value: "b", points: 2 }], truncated: false },
  score: { op: "score", answers: 2, correct: 1 },
  votes: { op: "votes", answers: 1, targets: [{ target: "r1", up: 2, down: 0 }], truncated: false },
  words: { op: "words", answers: 2, words: [{ word: "calm", count: 2 }], truncated: false },
};
const TEXTS = {
  "results.answers": "{n} answers",
  "results.number": "{mean} {min} {max}",
  "results.points": "{n} points",
};

const boot = (drawings = {}, more = {}) => ({
  texts: TEXTS,
  types: {
    own: { value_sources: Object.fromEntries(Object.keys(RESULTS).map((op) => [op, NAMED])), drawings, ...more },
  },
});
const activity = { type: "own", config: OPTIONS };

const nodes = (drawn) => [drawn].flat(Infinity).filter((each) => each !== null && each !== undefined);
const textOf = (drawn) =>
  nodes(drawn)
    .map((each) => (typeof each === "object" ? textOf(each.children) : String(each)))
    .join(" ");
const rowsIn = (drawn) =>
  nodes(drawn).flatMap((each) => {
    if (typeof each !== "object" || each.tag === "thead") return [];
    if (each.tag !== "tr") return rowsIn(each.children);
    const cells = each.children.filter(({ tag }) => /^t[hd]$/.test(tag)).map((cell) => textOf(cell.children).trim());
    return [cells.filter(Boolean)];
  });

globalThis.matchMedia = () => ({ matches: false });

test("charts of operations are those that a type may declare", async () => {
  const { OPERATIONS } = await load("sdk/charts/operations.js", boot());
  const found = Object.fromEntries(Object.entries(OPERATIONS).map(([op, { charts }]) => [op, charts]));
  assert.deepEqual(found, DECLARED);
});

test("every chart of every operation has the names and figures of its table", async () => {
  for (const [op, charts] of Object.entries(DECLARED)) {
    for (const chart of charts) {
      const { drawResults } = await load("sdk/results.js", boot({ [op]: { chart } }));
      const { OPERATIONS } = await loadBeside("sdk/charts/operations.js");
      const results = { [op]: RESULTS[op] };
      const drawn = textOf(drawResults(results, activity, { texts: new Map([["r1", "Why?"]]) }));
      const names = {
        count: "Apple",
        amounts: "Pear",
        grid: "Heart",
        median: "90 %",
        quartiles: "3 (2 – 4)",
        pairs: "Apple – Pear",
        votes: "Why?",
      };
      assert.ok(drawn.includes(names[op] ?? ""), `${op} as ${chart}: ${drawn}`);
      assert.ok(!/[{"]/.test(drawn), `${op} as ${chart} shows JSON: ${drawn}`);
      assert.ok(OPERATIONS[op].charts.includes(chart));
    }
  }
});

test("the hidden tables beside a view hold the rows of the charts", async () => {
  const { score: _, ...others } = RESULTS;
  const declared = Object.fromEntries(Object.keys(others).map((op) => [op, { chart: "table" }]));
  const { drawResults, drawTables } = await load("sdk/results.js", boot(declared));
  for (const [op, result] of Object.entries(others)) {
    const [drawn, table] = [drawResults, drawTables].map((draw) => rowsIn(draw({ [op]: result }, activity)));
    assert.ok(table.length > 0, op);
    assert.deepEqual(
      table,
      drawn.filter((cells) => cells.length === 2),
      op,
    );
  }
});

test("a chart that the result's operation does not have gives way to the default", async () => {
  const { drawResults } = await load("sdk/results.js", boot({ count: { chart: "histogram" } }));
  assert.deepEqual(rowsIn(drawResults({ count: RESULTS.count }, activity)).slice(-2), [
    ["Apple", "3 · 100 %"],
    ["Pear", "0 · 0 %"],
  ]);
});

test("a result without a chart is not drawn, and a title stands above the others", async () => {
  const declared = { count: { title: "Fruit" }, score: { chart: "none" } };
  const { drawResults, drawTables } = await load("sdk/results.js", boot(declared));
  const results = { count: RESULTS.count, score: RESULTS.score };
  assert.deepEqual([drawResults(results, activity).length, drawTables(results, activity).length], [1, 1]);
  assert.match(textOf(drawResults(results, activity)), /^Fruit 3 answers/);
});

test("amounts have the declared figure and unit", async () => {
  const figures = async (drawing) => {
    const { drawResults } = await load("sdk/results.js", boot({ amounts: drawing }));
    return rowsIn(drawResults({ amounts: RESULTS.amounts }, activity)).map((cells) => cells.at(-1));
  };
  assert.deepEqual((await figures({ unit: "/unit" })).slice(-2), ["Ø 75 kg · 75 %", "Ø 25 kg · 25 %"]);
  assert.deepEqual((await figures({ figure: "sum", unit: "/unit" })).slice(-2), ["150 kg", "50 kg"]);
  assert.deepEqual((await figures({ figure: "share" })).slice(-2), ["75 %", "25 %"]);
  assert.deepEqual((await figures({ figure: "mean", unit: "/none" })).slice(-2), ["Ø 75", "Ø 25"]);
});

test("counted objects are pairs of title and value, in words", async () => {
  const shape = { members: { n: { title: "Number" }, o: { title: "Option", source: NAMED } } };
  const { drawResults } = await load("sdk/results.js", boot({ spots: { shape } }));
  const values = [
    { value: { n: 26, o: "b" }, count: 2 },
    { value: { n: 26, o: "gone" }, count: 1 },
  ];
  const spots = { op: "count", answers: 3, values, others: 0, truncated: false };
  assert.deepEqual(rowsIn(drawResults({ spots }, activity)).slice(-2), [
    ["Number: 26 · Option: Pear", "2 · 67 %"],
    ["Number: 26 · Option: gone", "1 · 33 %"],
  ]);
});

test("values without a shape are words too", async () => {
  const { valueText, responseText } = await load("core/value_text.js", {
    texts: { "results.yes": "Yes", "results.no": "No" },
    types: { own: { response: { members: { size: { title: "Size", texts: { s: "Small" } } } } } },
  });
  assert.equal(
    valueText({ n: 26, o: "b", deep: { yes: true, list: [1, { a: null }] } }),
    "n: 26 · o: b · deep: (yes: Yes · list: 1, (a: –))",
  );
  assert.equal(valueText([false, "x"]), "No, x");
  const shape = { names: NAMED, others: { source: NAMED } };
  assert.equal(valueText({ a: "b", c: 3 }, shape, OPTIONS), "Apple: Pear · c: 3");
  assert.equal(responseText({ type: "own", config: {} }, { size: "s" }), "Size: Small");
});
