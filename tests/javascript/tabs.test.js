import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { load } from "./browser.js";

test("a message reaches the other tabs and not the sender", async () => {
  const { openTabChannel } = await load("core/tabs.js");
  const [one, other, stranger] = [mock.fn(), mock.fn(), mock.fn()];
  const send = openTabChannel("seat.1", one);
  openTabChannel("seat.1", other);
  openTabChannel("seat.2", stranger);
  send({ put: 1 });
  assert.deepEqual(
    [one, other, stranger].map(({ mock: { calls } }) => calls.map(({ arguments: [message] }) => message)),
    [[], [{ put: 1 }], []],
  );
});

test("without channels a message goes through storage, and equal messages differ in their time", async () => {
  const { openTabChannel } = await load("core/tabs.js");
  delete globalThis.BroadcastChannel;
  const received = mock.fn();
  const send = openTabChannel("seat.1", received);
  send({ drop: "k" });
  const stored = localStorage.getItem("seat.1");
  for (const [key, newValue] of [
    ["seat.2", stored],
    ["seat.1", null],
    ["seat.1", stored],
  ])
    dispatchEvent(Object.assign(new Event("storage"), { key, newValue }));
  assert.equal(received.mock.callCount(), 1);
  const [message] = received.mock.calls[0].arguments;
  assert.equal(message.drop, "k");
  assert.ok(message.at > 0);
});
