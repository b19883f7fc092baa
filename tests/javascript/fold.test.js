import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./browser.js";

const { Fold } = await load("core/feed.js");

const row = (entity, id, revision, data) => ({ entity, id, revision, data });
const activity = (id, revision, data) => row("activity", id, revision, { id, ...data });

test("an older revision never replaces a newer one", () => {
  const fold = new Fold();
  fold.apply([activity("a", 3, { title: "new" }), activity("a", 2, { title: "old" })]);
  assert.deepEqual(fold.activities, [{ id: "a", title: "new" }]);
});

test("the same revision is applied again, as after a reconnect", () => {
  const fold = new Fold();
  fold.apply([activity("a", 3, { title: "first" })]);
  fold.apply([activity("a", 3, { title: "again" })]);
  assert.deepEqual(fold.activities, [{ id: "a", title: "again" }]);
});

test("a tombstone removes an object, and an older row does not bring it back", () => {
  const fold = new Fold();
  fold.apply([
    row("response", "r", 1, { id: "r" }),
    row("response", "r", 2, null),
    row("response", "r", 1, { id: "r" }),
  ]);
  assert.deepEqual(fold.all("response"), []);
});

test("objects of two entities may share an id", () => {
  const fold = new Fold();
  fold.apply([row("session", "1", 1, { id: "1" }), row("participant", "1", 1, { id: "1", nickname: "Ann" })]);
  assert.deepEqual(fold.session, { id: "1" });
  assert.deepEqual(fold.all("participant"), [{ id: "1", nickname: "Ann" }]);
});

test("rows of an unknown entity are skipped", () => {
  const fold = new Fold();
  fold.apply([row("poem", "1", 1, { id: "1" }), activity("a", 1, {})]);
  assert.deepEqual(fold.activities, [{ id: "a" }]);
});

test("activities are in the order of the agenda, then of their creation", () => {
  const fold = new Fold();
  fold.apply([
    activity("late", 1, { order_index: 1, created_at: "2026-01-02" }),
    activity("last", 1, { order_index: 2, created_at: "2026-01-01" }),
    activity("early", 1, { order_index: 1, created_at: "2026-01-01" }),
  ]);
  assert.deepEqual(
    fold.activities.map(({ id }) => id),
    ["early", "late", "last"],
  );
});

test("any order of arrival gives the same objects", () => {
  const rows = [1, 2, 3].flatMap((revision) => ["a", "b"].map((id) => activity(id, revision, { revision })));
  const orders = [rows, rows.toReversed(), rows.toSorted((one, other) => one.id.localeCompare(other.id))];
  const results = orders.map((order) => {
    const fold = new Fold();
    for (const each of order) fold.apply([each]);
    return new Map(fold.all("activity").map((each) => [each.id, each.revision]));
  });
  for (const result of results)
    assert.deepEqual(
      result,
      new Map([
        ["a", 3],
        ["b", 3],
      ]),
    );
});
