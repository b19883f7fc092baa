import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import {
  advance,
  answerWith,
  emit,
  fakeDatabase,
  fakeTime,
  json,
  load,
  loadBeside,
  problem,
  realTime,
  settle,
} from "./browser.js";

const PORTAL = () => json({ login: "here" });
const OFFLINE = () => new TypeError("failed to fetch");

afterEach(realTime);

// Returns an open outbox, the log of its outcomes and the rows of its database.
async function openOutbox({ rows = fakeDatabase(), random = 1 } = {}) {
  fakeTime(random);
  const { Outbox } = await load("core/outbox.js");
  const { Client, Problem } = await loadBeside("core/api.js");
  const log = [];
  const outbox = new Outbox(new Client("seat.1"), ({ key }, outcome) => {
    const state = outcome instanceof Problem ? outcome.code : outcome && "stored";
    log.push(outbox.blocked.has(key) ? `${key} blocked` : `${key} ${state ?? "waits"}`);
  });
  await outbox.open("seat.1");
  await settle();
  return { outbox, log, rows };
}

const entry = (key, slot = null, at = 0) => ({
  key,
  slot,
  at,
  path: `/responses/${key}`,
  body: { response_data: key },
});

const stored = () => json({ id: "r", revision: 1 }, 201);

const sentKeys = (requests) => requests.map(({ headers }) => headers["Idempotency-Key"]);

test("a response is stored before it is sent, and removed after the server's own reply", async () => {
  let reply;
  const { outbox, log, rows } = await openOutbox();
  const requests = answerWith(() => {
    assert.deepEqual([...rows.keys()], ["a"]);
    return new Promise((resolve) => (reply = resolve));
  });
  await outbox.put(entry("a"));
  await settle();
  assert.deepEqual([...rows.keys()], ["a"]);
  reply(stored());
  await settle();
  assert.deepEqual(log, ["a waits", "a stored"]);
  assert.equal(rows.size, 0);
  assert.deepEqual(outbox.entries, []);
  assert.equal(requests.length, 1);
  assert.deepEqual(
    [requests[0].address, requests[0].method, requests[0].body],
    ["~/api/v1/responses/a", "POST", { response_data: "a" }],
  );
});

test("responses are sent one after the other, the oldest first", async () => {
  const { outbox } = await openOutbox();
  answerWith(OFFLINE);
  await outbox.put(entry("late", null, 2));
  await outbox.put(entry("early", null, 1));
  await settle();
  const replies = [];
  const requests = answerWith(() => new Promise((resolve) => replies.push(resolve)));
  emit("online");
  await settle();
  assert.deepEqual(sentKeys(requests), ["early"]);
  replies[0](stored());
  await settle();
  assert.deepEqual(sentKeys(requests), ["early", "late"]);
});

test("a refusal of the server is final", async () => {
  const { outbox, log, rows } = await openOutbox();
  const requests = answerWith(() => problem(409, "activity-closed"));
  await outbox.put(entry("a"));
  await settle();
  await advance(120_000, 5_000);
  assert.deepEqual(log, ["a waits", "a activity-closed"]);
  assert.equal(requests.length, 1);
  assert.equal(rows.size, 0);
});

for (const [name, reply] of Object.entries({
  "an outage": OFFLINE,
  "an overloaded server": () => problem(503, "unavailable"),
  "a limit": () => problem(429, "rate-limited"),
  "a proxy's 404": () => json({}, 404),
  "a success of another kind": PORTAL,
  "half of a response": () => json({ id: "r" }, 201),
})) {
  test(`${name} keeps a response, which arrives later with the same key`, async () => {
    const { outbox, log, rows } = await openOutbox();
    answerWith(reply);
    await outbox.put(entry("a"));
    await settle();
    assert.deepEqual([...rows.keys()], ["a"]);
    const requests = answerWith(stored);
    await advance(10_000);
    assert.deepEqual(sentKeys(requests), ["a"]);
    assert.deepEqual(log, ["a waits", "a stored"]);
    assert.equal(rows.size, 0);
  });
}

test("pauses double from one second to ten, and start again after a success", async () => {
  const { outbox } = await openOutbox({ random: 1 });
  const times = [];
  let isUp = false;
  answerWith(() => {
    times.push(Date.now());
    return isUp ? stored() : OFFLINE();
  });
  await outbox.put(entry("a"));
  await settle();
  await advance(40_000, 500);
  const pauses = times.slice(1).map((time, at) => time - times[at]);
  assert.deepEqual(pauses.slice(0, 6), [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  isUp = true;
  await advance(10_000, 500);
  isUp = false;
  times.length = 0;
  await outbox.put(entry("b"));
  await settle();
  await advance(2_000, 500);
  assert.equal(times[1] - times[0], 1_000);
});

test("the shortest pause is half of the longest", async () => {
  const { outbox } = await openOutbox({ random: 0 });
  const requests = answerWith(OFFLINE);
  await outbox.put(entry("a"));
  await settle();
  await advance(499);
  assert.equal(requests.length, 1);
  await advance(1);
  assert.equal(requests.length, 2);
});

test("an outage stops all, and a foreign reply only its own slot", async () => {
  const { outbox } = await openOutbox();
  let reply = OFFLINE;
  let requests = answerWith(({ address }) => (address.endsWith("/a") ? reply() : stored()));
  await outbox.put(entry("a", "one", 1));
  await outbox.put(entry("b", "two", 2));
  await settle();
  assert.ok(sentKeys(requests).every((key) => key === "a"));

  reply = PORTAL;
  requests = answerWith(({ address }) => (address.endsWith("/a") ? reply() : stored()));
  emit("online");
  await settle();
  assert.deepEqual(sentKeys(requests), ["a", "b"]);
  assert.deepEqual(
    outbox.entries.map(({ key }) => key),
    ["a"],
  );
});

test("a network that blocks a response for a minute is reported, and only while it does", async () => {
  const { outbox, log } = await openOutbox();
  answerWith(PORTAL);
  await outbox.put(entry("a"));
  await settle();
  await advance(55_000, 500);
  assert.equal(outbox.blocked.size, 0);
  await advance(20_000, 500);
  assert.equal(outbox.blocked.get("a").code, "foreign");
  assert.equal(log.at(-1), "a blocked");
  answerWith(stored);
  await advance(10_000, 500);
  assert.equal(outbox.blocked.size, 0);
  assert.equal(log.at(-1), "a stored");
});

test("an outage in between starts the minute again", async () => {
  const { outbox } = await openOutbox();
  answerWith(PORTAL);
  await outbox.put(entry("a"));
  await advance(40_000, 500);
  answerWith(OFFLINE);
  await advance(11_000, 500);
  answerWith(PORTAL);
  await advance(40_000, 500);
  assert.equal(outbox.blocked.size, 0);
});

test("a changed response replaces one of its slot that was never sent", async () => {
  const { outbox, rows } = await openOutbox();
  answerWith(OFFLINE);
  await outbox.put(entry("other", "another", 0));
  await settle();
  await outbox.put(entry("first", "slot", 1)); // waits behind `other`
  await outbox.put(entry("second", "slot", 2));
  await settle();
  assert.deepEqual([...rows.keys()].toSorted(), ["other", "second"]);
});

test("a response that may have arrived is sent before the one that replaces it", async () => {
  const { outbox } = await openOutbox();
  answerWith(OFFLINE);
  await outbox.put(entry("first", "slot", 1));
  await settle();
  await outbox.put(entry("second", "slot", 2));
  const requests = answerWith(stored);
  emit("online");
  await settle();
  assert.deepEqual(sentKeys(requests), ["first", "second"]);
});

test("a blocked response holds back those of its slot", async () => {
  const { outbox } = await openOutbox();
  answerWith(OFFLINE);
  await outbox.put(entry("first", "slot", 1));
  await settle();
  await outbox.put(entry("second", "slot", 2));
  await settle();
  const requests = answerWith(PORTAL);
  emit("online");
  await settle();
  assert.deepEqual(sentKeys(requests), ["first"]);
});

test("a response replaces none of another slot", async () => {
  const { outbox, rows } = await openOutbox();
  answerWith(OFFLINE);
  await outbox.put(entry("first", "one", 1));
  await settle();
  await outbox.put(entry("second", "two", 2));
  await outbox.put(entry("third", "three", 3));
  await settle();
  assert.deepEqual([...rows.keys()], ["first", "second", "third"]);
});

test("a response is not sent twice while it is on its way", async () => {
  const { outbox } = await openOutbox();
  let reply;
  const requests = answerWith(() => new Promise((resolve) => (reply = resolve)));
  await outbox.put(entry("a"));
  emit("online");
  emit("pageshow");
  await settle();
  assert.equal(requests.length, 1);
  reply(stored());
  await settle();
  assert.equal(requests.length, 1);
});

test("responses without a slot all arrive", async () => {
  const { outbox } = await openOutbox();
  answerWith(OFFLINE);
  await outbox.put(entry("a", null, 1));
  await outbox.put(entry("b", null, 2));
  const requests = answerWith(stored);
  emit("online");
  await settle();
  assert.deepEqual(sentKeys(requests), ["a", "b"]);
});

test("a response outlives the page", async () => {
  const first = await openOutbox();
  answerWith(OFFLINE);
  await first.outbox.put(entry("a"));
  await settle();
  realTime();

  const requests = answerWith(stored);
  const { log, rows } = await openOutbox({ rows: first.rows });
  assert.deepEqual(sentKeys(requests), ["a"]);
  assert.deepEqual(log, ["a waits", "a stored"]);
  assert.equal(rows.size, 0);
});

test("a full storage is told, and the response is sent nevertheless", async () => {
  const { outbox, log } = await openOutbox({ rows: fakeDatabase(new Map(), { isFull: true }) });
  assert.equal(outbox.isPersistent, true);
  answerWith(stored);
  await outbox.put(entry("a"));
  await settle();
  assert.equal(outbox.isPersistent, false);
  assert.deepEqual(log, ["a waits", "a stored"]);
});

test("a database that the browser closed stops no response", async () => {
  const { outbox, log } = await openOutbox({ rows: fakeDatabase(new Map(), { isClosed: true }) });
  answerWith(stored);
  await outbox.put(entry("a"));
  await settle();
  assert.deepEqual(log, ["a waits", "a stored"]);
});

test("a private window without a database sends from memory", async () => {
  fakeDatabase();
  globalThis.indexedDB = {
    open() {
      throw new DOMException("denied", "SecurityError");
    },
  };
  const { outbox, log } = await openOutbox({ rows: null });
  assert.equal(outbox.isPersistent, false);
  answerWith(stored);
  await outbox.put(entry("a"));
  await settle();
  assert.deepEqual(log, ["a waits", "a stored"]);
});

test("another tab's response is shown as waiting, and its outcome ends that", async () => {
  const { outbox, log } = await openOutbox();
  const received = [];
  const tab = new BroadcastChannel("conflicto.seat.1");
  tab.onmessage = ({ data }) => received.push(data);
  answerWith(OFFLINE);
  await outbox.put(entry("a"));
  assert.equal(received[0].put.key, "a");
  tab.postMessage({ drop: "a", status: 409, body: { code: "activity-closed", server: "server-1" } });
  await settle();
  assert.deepEqual(outbox.entries, []);
  assert.deepEqual(log, ["a waits", "a activity-closed"]);
});

test("a response that another tab waits with is sent by this one too, with its key", async () => {
  const { outbox, log } = await openOutbox();
  const tab = new BroadcastChannel("conflicto.seat.1");
  tab.postMessage({ put: entry("theirs") });
  await settle();
  assert.deepEqual(log, ["theirs waits"]);
  const requests = answerWith(stored);
  emit("online");
  await settle();
  assert.deepEqual(sentKeys(requests), ["theirs"]);
  assert.deepEqual(outbox.entries, []);
});
