import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { advance, answerWith, fakeTime, json, load, problem, realTime, settle, silence } from "./browser.js";

afterEach(realTime);

async function makeClient({ token = "t-1" } = {}) {
  const api = await load("core/api.js");
  if (token) api.tokens.set("seat.1", token);
  return { ...api, client: new api.Client("seat.1", "admin") };
}

const failure = (promise) =>
  promise.then(
    () => assert.fail("it succeeded"),
    (error) => error,
  );

test("a request carries the token, the body and the key", async () => {
  const { client } = await makeClient();
  const [request] = answerWith(() => json({ id: "1" }));
  assert.equal(request, undefined);
  const requests = answerWith(() => json({ id: "1" }));
  assert.deepEqual(await client.post("/join", { nickname: "Ann" }, { key: "k" }), { id: "1" });
  assert.deepEqual(requests, [
    {
      address: "~/api/v1/join",
      method: "POST",
      headers: { Authorization: "Bearer t-1", "Content-Type": "application/json", "Idempotency-Key": "k" },
      body: { nickname: "Ann" },
    },
  ]);
});

test("without a token no header is sent", async () => {
  const { client } = await makeClient({ token: null });
  const requests = answerWith(() => json({ id: "1" }));
  await client.get("/health");
  assert.deepEqual(requests[0].headers, {});
});

test("a renewed token replaces the old one, on failures too", async () => {
  const { client, tokens } = await makeClient();
  answerWith(() => json({ id: "1" }, 200, { "Renewed-Token": "t-2" }));
  await client.get("/a");
  assert.equal(tokens.get("seat.1"), "t-2");
  answerWith(() => json({ code: "conflict", server: "server-1" }, 409, { "Renewed-Token": "t-3" }));
  await failure(client.get("/a"));
  assert.equal(client.token, "t-3");
});

test("a deletion has no body, and no other method may have none", async () => {
  const { client } = await makeClient();
  answerWith(() => new Response(null, { status: 204 }));
  assert.equal(await client.delete("/a"), null);
  const error = await failure(client.get("/a"));
  assert.equal(error.code, "foreign");
});

test("a success without the API's fields, or without a required one, is foreign", async () => {
  const { client } = await makeClient();
  for (const [body, options] of [
    [{ login: "here" }, {}],
    [{ id: "1" }, { required: ["id", "revision"] }],
    ["text", {}],
    [null, {}],
  ]) {
    answerWith(() => json(body));
    const error = await failure(client.get("/a", options));
    assert.deepEqual([error.code, error.isTransient], ["foreign", true], JSON.stringify(body));
  }
});

test("a page of HTML is foreign", async () => {
  const { client } = await makeClient();
  answerWith(() => new Response("<html>Sign in</html>"));
  assert.equal((await failure(client.get("/a"))).code, "foreign");
});

test("a problem counts only if this server signed it", async () => {
  const { client } = await makeClient();
  answerWith(() => problem(403, "forbidden"));
  const own = await failure(client.get("/a"));
  answerWith(() => json({ code: "forbidden" }, 403));
  const other = await failure(client.get("/a"));
  answerWith(() => json({ code: "forbidden", server: "server-2" }, 403));
  const stranger = await failure(client.get("/a"));
  assert.deepEqual(
    [own, other, stranger].map(({ code, isTransient }) => [code, isTransient]),
    [
      ["forbidden", false],
      ["foreign", true],
      ["foreign", true],
    ],
  );
});

test("a token that was sent and did not arrive was stripped on the way", async () => {
  const { client } = await makeClient();
  answerWith(() => problem(401, "token-missing"));
  assert.equal((await failure(client.get("/a"))).code, "foreign");
  const { client: anonymous } = await makeClient({ token: null });
  answerWith(() => problem(401, "token-missing"));
  assert.equal((await failure(anonymous.get("/a"))).code, "token-missing");
});

test("the time of a retry is the body's, else the header's, and only of problems that pass", async () => {
  const { Problem } = await makeClient();
  const wait = (status, body, header) => new Problem(status, { server: "server-1", ...body }, header).retryAfterS;
  assert.equal(wait(429, { retry_after_s: 7 }, "9"), 7);
  assert.equal(wait(503, {}, "9"), 9);
  assert.equal(wait(503, {}, "Sun, 29 Nov 2026 19:50:00 GMT"), 0);
  assert.equal(wait(503, {}, null), 0);
  assert.equal(wait(403, { retry_after_s: 7 }, "9"), 0);
});

test("a server that stays silent for 10 s is offline", async () => {
  const { client } = await makeClient();
  fakeTime();
  answerWith(silence);
  let error = null;
  failure(client.get("/a")).then((each) => (error = each));
  await advance(9_999);
  assert.equal(error, null);
  await advance(1);
  assert.deepEqual([error.code, error.status, error.isTransient], ["offline", 0, true]);
});

test("the subject of a token is read, and the operator's token has none", async () => {
  const { subjectOf } = await makeClient();
  const claims = Buffer.from(JSON.stringify({ sub: "ÿ>?ÿ>?þ?>" }), "latin1").toString("base64url");
  assert.match(claims, /-.*_|_.*-/);
  assert.equal(subjectOf(`x.${claims}.y`), "ÿ>?ÿ>?þ?>");
  assert.equal(subjectOf("operator"), "admin");
  assert.equal(subjectOf(null), "admin");
});

test("the server's clock counts, less half of the round trip", async () => {
  const { time } = await makeClient();
  fakeTime();
  const began = Date.now();
  await advance(400);
  time.sync(new Date(began + 60_200).toISOString(), began);
  assert.equal(time.now() - Date.now(), 60_000);
  time.sync();
  await settle();
  assert.equal(time.now() - Date.now(), 60_000);
});

test("a token that the browser cannot store goes along in the fragment of a link", async () => {
  const { tokens, withToken } = await makeClient();
  assert.equal(withToken("/p/1", "seat.1", "seat"), "/p/1");
  localStorage.setItem = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  tokens.set("seat.1", "t-2");
  assert.equal(withToken("/p/1", "seat.1", "seat"), "/p/1#seat=t-2");
});

test("keys are random and of one length", async () => {
  const { newKey } = await makeClient();
  const keys = new Set(Array.from({ length: 100 }, newKey));
  assert.equal(keys.size, 100);
  for (const key of keys) assert.match(key, /^[0-9a-f]{32}$/);
});
