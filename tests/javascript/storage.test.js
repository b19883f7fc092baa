import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./browser.js";

const { BrowserStorage } = await load("core/storage.js");

const map = (limit = Infinity) => {
  const items = new Map();
  return {
    getItem: (name) => items.get(name) ?? null,
    setItem(name, text) {
      if (text.length > limit) throw new DOMException("full", "QuotaExceededError");
      items.set(name, text);
    },
    removeItem: (name) => items.delete(name),
  };
};

test("what is stored is read and removed", () => {
  const storage = new BrowserStorage(() => backend);
  const backend = map();
  assert.equal(storage.get("a"), null);
  assert.equal(storage.set("a", "1"), true);
  assert.equal(storage.get("a"), "1");
  storage.remove("a");
  assert.equal(storage.get("a"), null);
});

test("a text that does not fit stays in memory, until a shorter one is stored", () => {
  const backend = map(3);
  const storage = new BrowserStorage(() => backend);
  storage.set("a", "old");
  assert.equal(storage.set("a", "longer"), false);
  assert.equal(storage.get("a"), "longer");
  assert.equal(storage.set("a", "new"), true);
  assert.equal(backend.getItem("a"), "new");
  assert.equal(storage.get("a"), "new");
});

test("a browser that denies storage keeps texts in memory", () => {
  const storage = new BrowserStorage(() => {
    throw new DOMException("denied", "SecurityError");
  });
  assert.equal(storage.get("a"), null);
  assert.equal(storage.set("a", "1"), false);
  assert.equal(storage.get("a"), "1");
  storage.remove("a");
  assert.equal(storage.get("a"), null);
});
