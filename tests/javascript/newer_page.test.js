import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { advance, answerWith, emit, fakeTime, json, load, realTime, setHidden, settle } from "./browser.js";

const QUIET_MS = 60_000;
let reloads;
let dialogs;
let isQuiet;

beforeEach(() => fakeTime());
afterEach(realTime);

async function opened() {
  reloads = mock.fn();
  dialogs = [];
  isQuiet = true;
  globalThis.location = { pathname: "/host/s/1", reload: reloads };
  const page = await load("core/newer_page.js");
  Object.assign(document, { querySelector: () => dialogs[0] ?? null });
  return page;
}

const count = () => reloads.mock.callCount();

test("a page that is outdated moves on once it is unused, and not before", async () => {
  const { moveOnWhenQuiet } = await opened();
  answerWith(() => json({}));
  moveOnWhenQuiet(() => isQuiet);
  await advance(QUIET_MS - 10_000, 5_000);
  emit("pointermove");
  await advance(QUIET_MS - 5_000, 5_000);
  assert.equal(count(), 0);
  await advance(10_000, 5_000);
  assert.equal(count(), 1);
  await advance(QUIET_MS * 2, 5_000);
  assert.equal(count(), 1, "the same build may come back from another server");
});

test("a hidden page moves on at once, unless it holds something", async () => {
  const { moveOnWhenQuiet } = await opened();
  answerWith(() => json({}));
  moveOnWhenQuiet(() => isQuiet);
  for (const [begin, end] of [
    [() => emit("input"), () => emit("submit")],
    [() => emit("input"), () => emit("close")],
    [() => dialogs.push({}), () => dialogs.pop()],
    [() => (document.fullscreenElement = {}), () => (document.fullscreenElement = null)],
    [() => (isQuiet = false), () => (isQuiet = true)],
  ]) {
    begin();
    setHidden(true);
    await settle();
    assert.equal(count(), 0);
    setHidden(false);
    end();
  }
  setHidden(true);
  await settle();
  assert.equal(count(), 1);
});

test("a page stays while the new one cannot be read, or if its tab cannot note that it moved", async () => {
  const { moveOnWhenQuiet } = await opened();
  answerWith((_, n) => (n === 1 ? new TypeError("offline") : json({}, n === 2 ? 503 : 200)));
  moveOnWhenQuiet(() => isQuiet);
  for (const _ of "12") {
    setHidden(true);
    await settle();
  }
  assert.equal(count(), 0);
  sessionStorage.setItem = () => {
    throw new DOMException("no", "SecurityError");
  };
  setHidden(true);
  await settle();
  assert.equal(count(), 0);
});

test("a page without a feed asks whether it is outdated", async () => {
  const { watchForNewerPage } = await opened();
  let isNewer = false;
  const requests = answerWith(({ address }) => {
    const headers = isNewer && address.endsWith("/sdk/v1.js") ? { "Conflicto-Build": "2" } : {};
    return json({}, 200, headers);
  });
  watchForNewerPage(() => isQuiet);
  await advance(300_000, 5_000);
  assert.deepEqual([requests.length, count()], [1, 0]);
  isNewer = true;
  setHidden(true);
  await settle();
  await advance(5_000);
  assert.equal(count(), 1);
});
