import assert from "node:assert/strict";
import { afterEach, mock, test } from "node:test";

import {
  advance,
  answerWith,
  emit,
  eventStream,
  fakeTime,
  json,
  load,
  loadBeside,
  problem,
  realTime,
  setHidden,
  settle,
  silence,
} from "./browser.js";

const cursor = (number) => String(number).padStart(16, "0");
const change = (number, id) => `id: ${cursor(number)}\nevent: change\ndata: {"id":"${id}"}\n\n`;
const page = (number, ids = [], more = {}) => ({
  cursor: cursor(number),
  items: ids.map((id) => ({ id })),
  has_more: false,
  ...more,
});
const longPoll = (number, ids, more) => json(page(number, ids, more), 200, { "Preference-Applied": "wait=20" });
const isStream = ({ address }) => address.includes("/events");
const isFeed = ({ address }) => address.includes("/sessions/");

// Follows session 1 in a fresh browser. `reply` answers requests of the feed, by their number.
async function follow(reply, { random = 0, gone = () => false } = {}) {
  fakeTime(random);
  const { FeedFollower } = await load("core/feed.js");
  const { Client } = await loadBeside("core/api.js");
  const seen = { ids: [], states: [], gone: [], forgotten: 0, outdated: 0, reloads: 0 };
  globalThis.location = { reload: () => (seen.reloads += 1) };
  const requests = [];
  answerWith((request) => {
    if (!isFeed(request)) return new Response("", { status: 200 }); // this build's files are still there
    requests.push(Object.assign(request, { at: Date.now() }));
    return reply(request, requests.length);
  });
  const follower = new FeedFollower(new Client("seat.1"), "1", {
    apply: (items) => seen.ids.push(...items.map(({ id }) => id)),
    connected: (is, error) => seen.states.push(error ? error.code : is),
    gone(error) {
      seen.gone.push(error.code);
      return gone();
    },
    outdated: () => (seen.outdated += 1),
    forget: () => (seen.forgotten += 1),
  });
  follower.start();
  await settle();
  afterTest = () => follower.end();
  return { follower, requests, seen };
}

let afterTest = () => {};

afterEach(() => {
  afterTest();
  realTime();
});

test("events of a stream are applied in order, however the network cuts them", async () => {
  const stream = eventStream();
  const { seen, requests } = await follow(() => stream.response);
  const text = `id: ${cursor(1)}\nevent: ready\ndata: {}\n\n${change(2, "é")}${change(3, "b")}`;
  for (let at = 0; at < text.length; at += 7) {
    stream.send(text.slice(at, at + 7));
    await settle();
  }
  assert.deepEqual(seen.ids, ["é", "b"]);
  assert.equal(
    seen.states.every((is) => is === true),
    true,
  );
  assert.equal(requests.length, 1);
  assert.equal(requests[0].address, "~/api/v1/sessions/1/events?since=0");
});

test("a stream that ends is opened again at the last event", async () => {
  const streams = [eventStream(), eventStream()];
  const { requests } = await follow((_, count) => streams[count - 1].response);
  streams[0].send(change(7, "a"));
  await settle();
  await advance(15_000, 5_000);
  streams[0].close();
  await settle();
  assert.equal(requests.length, 2);
  assert.equal(requests[1].address, `~/api/v1/sessions/1/events?since=${cursor(7)}`);
  assert.equal(requests[1].headers["Last-Event-ID"], cursor(7));
});

test("a stream that falls silent is aborted after 20 s and opened again after a jitter", async () => {
  const streams = [eventStream(), eventStream()];
  const { requests, seen } = await follow((_, count) => streams[count - 1].response, { random: 0.5 });
  streams[0].send(change(1, "a"));
  await settle();
  await advance(19_999);
  assert.deepEqual(seen.states, [true]);
  await advance(1);
  assert.deepEqual(seen.states, [true, false]);
  await advance(2_499);
  assert.equal(requests.length, 1);
  await advance(1);
  assert.equal(requests.length, 2);
  assert.ok(isStream(requests[1]));
});

test("each event extends a stream by 20 s", async () => {
  const stream = eventStream();
  const { requests, seen } = await follow(() => stream.response);
  for (let beat = 1; beat < 10; beat += 1) {
    stream.send(`id: ${cursor(beat)}\nevent: keep\ndata: {}\n\n`);
    await settle();
    await advance(19_000);
  }
  assert.equal(requests.length, 1);
  assert.equal(seen.states.includes(false), false);
});

test("a proxy that buffers the stream is replaced by polls after 10 s, the first without a wait", async () => {
  const { requests, seen } = await follow((request, count) => {
    if (isStream(request)) return eventStream().response;
    return count === 2 ? json(page(5, ["a"], { has_more: true })) : silence();
  });
  await advance(9_999);
  assert.deepEqual(seen.states, []);
  await advance(1);
  assert.deepEqual(seen.states, [false]);
  await advance(1_000, 100);
  assert.equal(requests[1].address, "~/api/v1/sessions/1/changes/since/0?limit=1000");
  assert.equal(requests[1].headers.Prefer, undefined);
  assert.deepEqual(seen.ids, ["a"]);
  assert.equal(requests[2].address, `~/api/v1/sessions/1/changes/since/${cursor(5)}?limit=1000`);
  assert.equal(requests[2].headers.Prefer, "wait=20");
});

test("a long poll that stays silent for 40 s is given up", async () => {
  const { requests, seen } = await follow((request, count) => {
    if (isStream(request)) return new Response(null, { status: 204 });
    return count === 2 ? silence() : json(page(1, []));
  });
  assert.equal(requests[1].headers.Prefer, "wait=20");
  await advance(39_999);
  assert.deepEqual([requests.length, seen.states], [2, []]);
  await advance(1);
  assert.deepEqual(seen.states, [false]);
  await advance(1_000, 100);
  assert.equal(requests[2].headers.Prefer, undefined);
  assert.deepEqual(seen.states, [false, true]);
});

test("three streams that end at once are replaced by polls", async () => {
  const { requests } = await follow((request) => {
    if (!isStream(request)) return silence();
    const stream = eventStream();
    stream.send(change(1, "a"));
    stream.close();
    return stream.response;
  });
  await settle();
  assert.deepEqual(requests.map(isStream), [true, true, true, false]);
});

test("the polls until the next stream double each time that none starts", async () => {
  const { requests } = await follow((request) =>
    isStream(request) ? eventStream().response : json(page(1, [], { has_more: true })),
  );
  await advance(40_000, 500);
  const polls = [];
  for (const each of requests) {
    if (isStream(each)) polls.push(0);
    else polls[polls.length - 1] += 1;
  }
  assert.deepEqual(polls.slice(0, 2), [40, 80]);
});

test("without long polls the server names the pause", async () => {
  const { requests } = await follow((request) =>
    isStream(request) ? new Response(null, { status: 204 }) : json(page(1), 200, { "Poll-After": "3000" }),
  );
  assert.equal(requests.length, 2);
  await advance(2_999);
  assert.equal(requests.length, 2);
  await advance(1);
  assert.equal(requests.length, 3);
});

test("a long poll that brings nothing at once came from a cache: the next address differs, after a pause", async () => {
  const { requests } = await follow((request) =>
    isStream(request) ? new Response(null, { status: 204 }) : longPoll(1, []),
  );
  assert.equal(requests.length, 2);
  await advance(2_000);
  assert.equal(requests.length, 3);
  assert.notEqual(requests[1].address.split("?")[1], requests[2].address.split("?")[1]);
});

test("a page that is not of the feed changes nothing and is tried again", async () => {
  let reply = () => json({ cursor: "login", items: [] });
  const { requests, seen } = await follow((request) =>
    isStream(request) ? new Response(null, { status: 204 }) : reply(),
  );
  assert.deepEqual(seen.states, [false]);
  reply = () => json(page(1, ["a"]));
  await advance(1_000, 100);
  assert.deepEqual(seen.ids, ["a"]);
  assert.match(requests.at(-1).address, /since\/0\?/);
});

test("a completed session ends the feed after its last page", async () => {
  const pages = [page(1, ["a"], { closed: true, has_more: true }), page(2, ["b"], { closed: true })];
  const { requests, seen } = await follow((request, count) =>
    isStream(request) ? new Response(null, { status: 204 }) : json(pages[count - 2]),
  );
  await advance(60_000, 5_000);
  assert.deepEqual([requests.length, seen.ids], [3, ["a", "b"]]);
});

test("pauses after failures double from half a second to ten, with a jitter of half", async () => {
  for (const [random, wanted] of [
    [0, [500, 1_000, 2_000, 4_000, 5_000, 5_000]],
    [1, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]],
  ]) {
    const { requests } = await follow(() => new TypeError("failed to fetch"), { random });
    await advance(40_000, 500);
    const pauses = requests.slice(1).map(({ at }, index) => at - requests[index].at);
    assert.deepEqual(pauses.slice(0, 6), wanted);
    afterTest();
    realTime();
  }
});

test("a foreign reply is reported after a minute and not before", async () => {
  const { seen } = await follow(() => json({ login: "here" }, 403), { random: 1 });
  await advance(55_000, 500);
  assert.equal(
    seen.states.every((is) => is === false),
    true,
  );
  await advance(15_000, 500);
  assert.equal(seen.states.at(-1), "foreign");
});

test("a refusal of the server ends following, unless the page goes on", async () => {
  const { requests, seen } = await follow(() => problem(401, "token-invalid"));
  await advance(60_000, 5_000);
  assert.deepEqual([requests.length, seen.gone], [1, ["token-invalid"]]);
  afterTest();
  realTime();

  const again = await follow(() => problem(401, "token-invalid"), { gone: () => true });
  await advance(2_000, 100);
  assert.ok(again.requests.length > 1);
});

test("an overloaded server is no refusal", async () => {
  const { requests, seen } = await follow(() => problem(503, "unavailable"));
  await advance(2_000, 100);
  assert.deepEqual(seen.gone, []);
  assert.ok(requests.length > 1);
});

test("a cursor that a restore removed forgets all and reloads the page", async () => {
  const { requests, seen } = await follow(() => problem(410, "cursor-expired"));
  await advance(60_000, 5_000);
  assert.deepEqual([requests.length, seen.forgotten, seen.reloads], [1, 1, 1]);
});

test("a hidden page closes its connection after 5 s and opens one when it is seen again", async () => {
  const { requests, seen } = await follow(() => eventStream().response);
  setHidden(true);
  await advance(4_999);
  assert.equal(requests[0].isAborted, undefined);
  await advance(1);
  assert.equal(requests[0].isAborted, true);
  await advance(60_000, 5_000);
  assert.equal(requests.length, 1);
  setHidden(false);
  await settle();
  assert.equal(requests.length, 2);
  assert.equal(seen.states.includes(false), false);
});

test("a page that is hidden for less than 5 s connects again at once, and keeps that connection", async () => {
  const { requests } = await follow(() => {
    const stream = eventStream();
    stream.send(change(1, "a"));
    return stream.response;
  });
  setHidden(true);
  await advance(3_000);
  setHidden(false);
  await settle();
  await advance(10_000, 1_000);
  assert.equal(requests.length, 2);
});

test("a device that is online again connects at once", async () => {
  const { requests } = await follow(() => new TypeError("failed to fetch"), { random: 1 });
  await advance(10_000, 500);
  const before = requests.length;
  emit("online");
  await settle();
  assert.equal(requests.length, before + 1);
});

test("an ended follower sends nothing more", async () => {
  const { follower, requests } = await follow(() => eventStream().response);
  follower.end();
  await settle();
  emit("online");
  await advance(60_000, 5_000);
  assert.equal(requests.length, 1);
});

test("a newer build is told after a reconnect, once its server confirms it", async () => {
  let isReplaced = false;
  const streams = [eventStream(), eventStream()];
  const { seen } = await follow((_, count) => streams[count - 1].response);
  const { fetch } = globalThis;
  const probes = mock.fn();
  globalThis.fetch = (address, options) => {
    if (!address.endsWith("/sdk/v1.js")) return fetch(address, options);
    probes(options.method);
    return Promise.resolve(isReplaced ? problem(404, "not-found") : new Response(""));
  };
  streams[0].send(change(1, "a"));
  await settle();
  assert.equal(seen.outdated, 0);
  isReplaced = true;
  emit("pageshow");
  await settle();
  streams[1].send(change(2, "b"));
  await settle();
  assert.deepEqual(
    probes.mock.calls.map(({ arguments: [method] }) => method),
    ["HEAD", "GET"],
  );
  assert.equal(seen.outdated, 1);
});
