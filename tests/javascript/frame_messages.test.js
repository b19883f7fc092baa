// Messages of a framed view: shapes, sizes and rates.

import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./browser.js";

const { Breach, MAX_HEIGHT_PX, MAX_MESSAGE_CHARS, MessageReader } = await load("elements/frame_messages.js");

function reader(view = "participant") {
  const clock = { now: 0 };
  const made = new MessageReader(view, () => clock.now);
  return { made, clock, read: (message) => made.read(JSON.stringify(message)) };
}

const breaks = (operation, reason) =>
  assert.throws(operation, (error) => error instanceof Breach && error.reason === reason);

test("a message with its shape is read", () => {
  const { made, read } = reader();
  assert.deepEqual(read({ type: "draft", response: [1], isComplete: false }).response, [1]);
  assert.equal(read({ type: "submit", response: null }).response, null);
  assert.equal(read({ type: "height", height: 12.5 }).height, 12.5);
  assert.equal(made.ignored, 0);
});

test("everything else is ignored and counted", () => {
  const { made, read } = reader();
  const odd = [
    null,
    "draft",
    [],
    {},
    { type: "draft" },
    { type: "draft", response: 1, isComplete: 1 },
    { type: "submit" },
    { type: "height", height: "1" },
    { type: "pong", n: 0.5 },
    { type: "change", config: {}, secret: 1 },
    { type: "toString" },
    { type: "__proto__" },
    { type: "fault", name: "x".repeat(2_001) },
  ];
  for (const message of odd) assert.equal(read(message), null, JSON.stringify(message));
  for (const data of [{ type: "ready" }, undefined, new ArrayBuffer(9), "{", "x".repeat(MAX_MESSAGE_CHARS + 1)])
    assert.equal(made.read(data), null);
  assert.equal(made.ignored, odd.length + 5);
});

test("each view has its own messages", () => {
  const change = { type: "change", config: {}, secret: null };
  assert.ok(reader("editor").read(change));
  assert.equal(reader("participant").read(change), null);
  assert.equal(reader("screen").read({ type: "submit", response: 1 }), null);
  assert.equal(reader("editor").read({ type: "submit", response: 1 }), null);
});

test("a view may send fifty messages a second, and two hundred at once", () => {
  const { clock, read } = reader();
  const pong = { type: "pong", n: 1 };
  for (let n = 0; n < 200; n += 1) read(pong);
  breaks(() => read(pong), "flood");
  clock.now += 1_000;
  for (let n = 0; n < 49; n += 1) read(pong);
  breaks(() => read(pong) && read(pong), "flood");
});

test("long texts, submits and messages without a shape have budgets of their own", () => {
  const long = reader();
  const draft = { type: "draft", response: "x".repeat(60_000), isComplete: true };
  for (let n = 0; n < 8; n += 1) long.read(draft);
  breaks(() => long.read(draft), "flood");

  const eager = reader();
  for (let n = 0; n < 20; n += 1) eager.read({ type: "submit", response: n });
  breaks(() => eager.read({ type: "submit", response: 1 }), "flood");

  const odd = reader();
  for (let n = 0; n < 20; n += 1) odd.made.ignore();
  breaks(() => odd.made.ignore(), "flood");
});

test("a view that grows beyond the limit is cut off", () => {
  const { read } = reader();
  assert.ok(read({ type: "height", height: MAX_HEIGHT_PX }));
  breaks(() => read({ type: "height", height: MAX_HEIGHT_PX + 1 }), "growth");
});
