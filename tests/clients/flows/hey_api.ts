// A session from its creation to its deletion with the client that hey-api generates; prints what it read.

import { createClient, type Client } from "./client/client/index.js";
import * as api from "./client/index.js";

type IsAny<T> = 0 extends 1 & T ? true : false;
const leavesOneOpen: IsAny<
  api.ActivityResults | api.ChangePage | api.Problem | api.ResponseChangePage | api.SessionCreated
> = false;

const config = {
  question: "Lunch?",
  options: [
    { id: "pizza", text: "Pizza" },
    { id: "curry", text: "Curry" },
  ],
};
const key = () => ({ "Idempotency-Key": crypto.randomUUID() });

function clientOf(token?: string): Client {
  return createClient({ baseUrl: process.env.CONFLICTO_URL ?? "", auth: token });
}

/** Returns the body of a success. */
function given<T>(reply: { data?: T; error?: unknown; response?: Response }): Exclude<T, void | null> {
  if (reply.data === undefined || reply.data === null)
    throw new Error(`${reply.response?.status}: ${JSON.stringify(reply.error)}`);
  return reply.data as Exclude<T, void | null>;
}

/** Makes a session, opens it and starts a poll, after an activity of whose defaults nothing is declared. */
async function prepare() {
  const admin = clientOf(process.env.CONFLICTO_ADMIN);
  const made = given(await api.createSession({ client: admin, headers: key(), body: { title: "Town hall" } }));
  const client = clientOf(made.host_token);
  const path = { session_id: made.id };
  const opened = given(await api.updateSession({ client, path, body: { status: "active" } }));
  const plain = given(await api.createActivity({ client, path, body: { type: "pulse" } }));
  const poll = given(await api.createActivity({ client, path, body: { type: "poll", config, status: "active" } }));
  return { made, opened, plain, poll };
}

/** Joins, answers, changes the answer, and tries a code that opens nothing. */
async function takePart(made: api.SessionCreated, poll: api.Activity) {
  const anyone = clientOf();
  const { error } = await api.join({ client: anyone, body: { nickname: "Anna", code: "BCDF-GHJK" } });
  const refused: api.Problem | undefined = error;
  const body = { nickname: "Anna", code: made.join_code ?? "" };
  const seat = given(await api.join({ client: anyone, headers: key(), body }));
  const client = clientOf(seat.participant_token);
  const path = { session_id: made.id, activity_id: poll.id };
  const submit = (choice: string) =>
    api.submitResponse({ client, path, headers: key(), body: { response_data: { choices: [choice] } } });
  const first = await submit("pizza");
  const second = await submit("curry");
  const [taken, changed] = [given(first), given(second)];
  return {
    refused: [refused?.status, refused?.code],
    seat: seat.nickname,
    statuses: [first.response?.status, second.response?.status],
    revisions: [taken.revision, changed.revision],
    same: taken.id === changed.id,
    ordered: taken.updated_at < changed.updated_at,
  };
}

/** Reads the feeds, from the beginning and from the last cursor, and the results. */
async function follow(made: api.SessionCreated, poll: api.Activity) {
  const client = clientOf(made.host_token);
  const path = { session_id: made.id, activity_id: poll.id };
  const page: api.ResponseChangePage = given(await api.followResponses({ client, path: { ...path, timestamp: "0" } }));
  const later: api.ResponseChangePage = given(
    await api.followResponses({ client, path: { ...path, timestamp: page.cursor } }),
  );
  const changes: api.ChangePage = given(
    await api.followChanges({ client, path: { session_id: made.id, timestamp: "0" } }),
  );
  const reply = await api.getResults({ client, path });
  const results: api.ActivityResults = given(reply);
  const choices = results.results.choices;
  if (choices?.op !== "count") throw new Error(`results are of ${choices?.op}`);
  const known = await api.getResults({
    client,
    path,
    headers: { "If-None-Match": reply.response?.headers.get("ETag") ?? "" },
  });
  return {
    answers: page.items.map((item) => item.response_data),
    later: later.count,
    entities: changes.items.map((item) => item.entity).sort(),
    counts: choices.values.map((each) => [each.value, each.count]),
    unchanged: known.response?.status,
  };
}

/** Returns the kinds of the first changes that the stream sends, as many as the feed has. */
async function streamed(made: api.SessionCreated, count: number): Promise<string[]> {
  const path = { session_id: made.id };
  const { stream } = await api.streamEvents({ client: clientOf(made.host_token), path, query: { since: "0" } });
  const kinds: string[] = [];
  for await (const change of stream) {
    kinds.push((change as unknown as api.Change).entity);
    if (kinds.length === count) break;
  }
  return kinds.sort();
}

/** Exports the answers in each format, and deletes the session. */
async function takeHome(made: api.SessionCreated) {
  const client = clientOf(made.host_token);
  const path = { session_id: made.id };
  const file = async (format: api.ExportFormat): Promise<Blob> =>
    given(await api.exportResponses({ client, path, query: { format }, parseAs: "blob" })) as unknown as Blob;
  const text = async (format: api.ExportFormat) => (await (await file(format)).text()).trim();
  const result = {
    csv: (await text("csv")).split("\r\n").length,
    jsonl: (await text("jsonl"))
      .split("\n")
      .map((line) => (JSON.parse(line) as { response_data: unknown }).response_data),
    xlsx:
      Buffer.from(await (await file("xlsx")).arrayBuffer())
        .subarray(0, 2)
        .toString() === "PK",
  };
  const deleted = await api.deleteSession({ client, path });
  return { ...result, deleted: deleted.response?.status };
}

const { made, opened, plain, poll } = await prepare();
const defaults = [plain.response_policy, plain.min_group];
const begun = { title: opened.title, status: opened.status, defaults, poll: [poll.type, poll.status] };
const [taken, followed] = [await takePart(made, poll), await follow(made, poll)];
const entities = await streamed(made, followed.entities.length);
if (entities.join() !== followed.entities.join()) throw new Error(`the stream sends of ${entities}`);
const rest = { ...taken, ...followed, ...(await takeHome(made)) };
console.log(JSON.stringify({ ...begun, ...rest }));
