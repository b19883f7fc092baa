// A session from its creation to its deletion with the types of openapi-typescript and the client openapi-fetch; prints what it read.

import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Schemas = components["schemas"];
type IsAny<T> = 0 extends 1 & T ? true : false;
const leavesOneOpen: IsAny<Schemas[keyof Schemas]> = false; // a union with `any` is `any`

const url = process.env.CONFLICTO_URL ?? "";
const config = {
  question: "Lunch?",
  options: [
    { id: "pizza", text: "Pizza" },
    { id: "curry", text: "Curry" },
  ],
};
const key = () => ({ "Idempotency-Key": crypto.randomUUID() });

function clientOf(token?: string) {
  return createClient<paths, "application/json" | "application/problem+json">({
    baseUrl: url,
    headers: token ? { authorization: `Bearer ${token}` } : {},
  });
}

/** Returns the body of a success. */
function given<T>(reply: { data?: T; error?: unknown; response: Response }): NonNullable<T> {
  if (reply.data === undefined || reply.data === null)
    throw new Error(`${reply.response.status}: ${JSON.stringify(reply.error)}`);
  return reply.data;
}

/** Makes a session, opens it and starts a poll, after an activity of whose defaults nothing is declared. */
async function prepare() {
  const admin = clientOf(process.env.CONFLICTO_ADMIN);
  const made = given(await admin.POST("/api/v1/sessions", { params: { header: key() }, body: { title: "Town hall" } }));
  const host = clientOf(made.host_token);
  const path = { session_id: made.id };
  const opened = given(
    await host.PATCH("/api/v1/sessions/{session_id}", { params: { path }, body: { status: "active" } }),
  );
  const body: Schemas["ActivityRequest"] = { type: "poll", config, status: "active" };
  const activities = "/api/v1/sessions/{session_id}/activities";
  const plain = given(await host.POST(activities, { params: { path }, body: { type: "pulse" } }));
  const poll = given(await host.POST(activities, { params: { path }, body }));
  return { made, opened, plain, poll };
}

/** Joins, answers, changes the answer, and tries a code that opens nothing. */
async function takePart(made: Schemas["SessionCreated"], poll: Schemas["Activity"]) {
  const anyone = clientOf();
  const { error } = await anyone.POST("/api/v1/join", { body: { nickname: "Anna", code: "BCDF-GHJK" } });
  const refused: Schemas["Problem"] | undefined = error;
  const body: Schemas["JoinRequest"] = { nickname: "Anna", code: made.join_code ?? "" };
  const seat = given(await anyone.POST("/api/v1/join", { params: { header: key() }, body }));
  const anna = clientOf(seat.participant_token);
  const submit = (choice: string) =>
    anna.POST("/api/v1/sessions/{session_id}/activities/{activity_id}/responses", {
      params: { path: { session_id: made.id, activity_id: poll.id }, header: key() },
      body: { response_data: { choices: [choice] } },
    });
  const first = await submit("pizza");
  const second = await submit("curry");
  const [taken, changed]: Schemas["ParticipantResponse"][] = [given(first), given(second)];
  return {
    refused: [refused?.status, refused?.code],
    seat: seat.nickname,
    statuses: [first.response.status, second.response.status],
    revisions: [taken?.revision, changed?.revision],
    same: taken?.id === changed?.id,
    ordered: (taken?.updated_at ?? "") < (changed?.updated_at ?? ""),
  };
}

/** Reads the feeds, from the beginning and from the last cursor, and the results. */
async function follow(made: Schemas["SessionCreated"], poll: Schemas["Activity"]) {
  const host = clientOf(made.host_token);
  const path = { session_id: made.id, activity_id: poll.id };
  const since = (timestamp: string) =>
    host.GET("/api/v1/sessions/{session_id}/activities/{activity_id}/responses/since/{timestamp}", {
      params: { path: { ...path, timestamp } },
    });
  const page: Schemas["ResponseChangePage"] = given(await since("0"));
  const later = given(await since(page.cursor));
  const changes = given(
    await host.GET("/api/v1/sessions/{session_id}/changes/since/{timestamp}", {
      params: { path: { ...path, timestamp: "0" } },
    }),
  );
  const results = (tag?: string) =>
    host.GET("/api/v1/sessions/{session_id}/activities/{activity_id}/results", {
      params: { path, header: tag ? { "If-None-Match": tag } : {} },
    });
  const reply = await results();
  const choices = given(reply).results.choices;
  if (choices?.op !== "count") throw new Error(`results are of ${choices?.op}`);
  const known = await results(reply.response.headers.get("ETag") ?? "");
  return {
    answers: page.items.map((item) => item.response_data),
    later: later.count,
    entities: changes.items.map((item) => entityOf(item)).sort(),
    counts: choices.values.map((each) => [each.value, each.count]),
    unchanged: known.response.status,
  };
}

/** Returns the kind of a change; the compiler sees whether each kind is there. */
function entityOf(change: Schemas["Change"]): "activity" | "participant" | "response" | "session" {
  return change.entity;
}

/** Exports the answers in each format, and deletes the session. */
async function takeHome(made: Schemas["SessionCreated"]) {
  const host = clientOf(made.host_token);
  const path = { session_id: made.id };
  const file = async (format: Schemas["ExportFormat"]): Promise<ArrayBuffer> =>
    given(
      await host.GET("/api/v1/sessions/{session_id}/export", {
        params: { path, query: { format } },
        parseAs: "arrayBuffer",
      }),
    );
  const text = async (format: Schemas["ExportFormat"]) => new TextDecoder().decode(await file(format)).trim();
  const result = {
    csv: (await text("csv")).split("\r\n").length,
    jsonl: (await text("jsonl"))
      .split("\n")
      .map((line) => (JSON.parse(line) as { response_data: unknown }).response_data),
    xlsx:
      Buffer.from(await file("xlsx"))
        .subarray(0, 2)
        .toString() === "PK",
  };
  const deleted = await host.DELETE("/api/v1/sessions/{session_id}", { params: { path } });
  return { ...result, deleted: deleted.response.status };
}

const { made, opened, plain, poll } = await prepare();
const defaults = [plain.response_policy, plain.min_group];
const begun = { title: opened.title, status: opened.status, defaults, poll: [poll.type, poll.status] };
const rest = { ...(await takePart(made, poll)), ...(await follow(made, poll)), ...(await takeHome(made)) };
console.log(JSON.stringify({ ...begun, ...rest }));
