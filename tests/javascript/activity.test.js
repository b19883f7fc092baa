import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { advance, fakeTime, load, loadBeside, realTime } from "./browser.js";

afterEach(realTime);

const endsIn = (seconds) => new Date(Date.now() + seconds * 1000).toISOString();

test("phases follow the status, the timer and the reveal", async () => {
  fakeTime();
  const { phaseOf } = await load("core/activity.js");
  const phases = [
    [{ status: "published" }, "ready"],
    [{ status: "active" }, "open"],
    [{ status: "active", ends_at: endsIn(1) }, "open"],
    [{ status: "active", ends_at: endsIn(0) }, "locked"],
    [{ status: "active", ends_at: endsIn(0), results_revealed: true }, "revealed"],
    [{ status: "expired" }, "locked"],
    [{ status: "expired", results_revealed: true }, "revealed"],
  ];
  for (const [activity, phase] of phases) assert.equal(phaseOf(activity), phase, JSON.stringify(activity));
});

test("results are visible as the server decides", async () => {
  const { areResultsVisible } = await load("core/activity.js");
  const visible = [
    ["host", [false, false, false, false]],
    ["after_reveal", [false, false, true, true]],
    ["after_answer", [false, true, true, true]],
    ["always", [true, true, true, true]],
  ];
  for (const [visibility, expected] of visible) {
    const found = [false, true].flatMap((isRevealed) =>
      [false, true].map((hasAnswered) =>
        areResultsVisible({ results_visibility: visibility, results_revealed: isRevealed }, hasAnswered),
      ),
    );
    assert.deepEqual(found, expected, visibility);
  }
});

test("the clock of the server ends an activity, not the device's", async () => {
  fakeTime();
  const { phaseOf, secondsLeft } = await load("core/activity.js");
  const { time } = await loadBeside("core/api.js");
  const activity = { status: "active", ends_at: endsIn(10) };
  assert.equal(secondsLeft(activity), 10);
  time.sync(endsIn(9.5));
  assert.deepEqual([secondsLeft(activity), phaseOf(activity)], [1, "open"]);
  await advance(500);
  assert.deepEqual([secondsLeft(activity), phaseOf(activity)], [0, "locked"]);
});

test("there are no seconds left without a running timer", async () => {
  const { secondsLeft } = await load("core/activity.js");
  assert.equal(secondsLeft({ status: "active", ends_at: null }), null);
  assert.equal(secondsLeft({ status: "expired", ends_at: endsIn(5) }), null);
});

test("a time is announced at its start, at half, at 30 s, at 10 s and at its end, once each", async () => {
  fakeTime();
  const texts = { "time.over": "over", "time.left": "{n} s", "time.left_minutes": "{time} min" };
  const { TimeAnnouncer } = await load("core/announce.js", { texts });
  const region = { textContent: "" };
  const announced = [];
  const { getElementById } = document;
  document.getElementById = (id) => (id === "announce" ? region : getElementById(id));
  const announcer = new TimeAnnouncer();
  const activity = { id: "a", round: 1, status: "active", ends_at: endsIn(200), duration_seconds: 200 };
  for (let second = 0; second <= 205; second += 1) {
    announcer.tick(activity);
    await advance(500);
    if (region.textContent) announced.push([second, region.textContent]);
    region.textContent = "";
    await advance(500);
  }
  assert.deepEqual(announced, [
    [0, "3:20 min"],
    [100, "100 s"],
    [170, "30 s"],
    [190, "10 s"],
    [200, "over"],
  ]);
});
