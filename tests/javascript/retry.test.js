import assert from "node:assert/strict";
import { afterEach, mock, test } from "node:test";

import { advance, fakeTime, load, realTime } from "./browser.js";

afterEach(realTime);

test("an action is retried after the server's time, up to a second later", async () => {
  fakeTime(0.5);
  const { Retry } = await load("core/retry.js");
  const action = mock.fn();
  assert.equal(new Retry().schedule({ retryAfterS: 3 }, action), 3);
  await advance(3_499);
  assert.equal(action.mock.callCount(), 0);
  await advance(1);
  assert.equal(action.mock.callCount(), 1);
});

test("a problem without a time is not retried", async () => {
  fakeTime();
  const { Retry } = await load("core/retry.js");
  const action = mock.fn();
  assert.equal(new Retry().schedule({ retryAfterS: 0 }, action), 0);
  await advance(60_000);
  assert.equal(action.mock.callCount(), 0);
});

test("a later schedule replaces the earlier one, and stop ends both", async () => {
  fakeTime();
  const { Retry } = await load("core/retry.js");
  const [first, second, third] = [mock.fn(), mock.fn(), mock.fn()];
  const retry = new Retry();
  retry.schedule({ retryAfterS: 1 }, first);
  retry.schedule({ retryAfterS: 2 }, second);
  await advance(10_000);
  retry.schedule({ retryAfterS: 1 }, third);
  retry.stop();
  await advance(10_000);
  assert.deepEqual(
    [first, second, third].map((each) => each.mock.callCount()),
    [0, 1, 0],
  );
});
