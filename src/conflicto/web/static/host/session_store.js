// The state of a host's page: results, responses, participants and other hosts, with the changes of that page.

import { questionOf } from "../core/activity.js";
import { announce } from "../core/announce.js";
import { newKey, tokens } from "../core/api.js";
import { isTokenValid } from "../elements/link_token.js";
import { countOf } from "../sdk/results.js";
import { announceCount } from "./counts.js";
import { OtherHosts, describe } from "./other_hosts.js";
import { SessionControl } from "./session_control.js";

const REFRESH_MS = 500;
const NEWS_MS = 8_000;

// Fields of an activity that its copy has, beside the version of its type.
const COPIED =
  "type title config secret aggregate response_policy results_visibility responses_visibility moderation anonymous min_group duration_seconds".split(
    " ",
  );

export class SessionStore extends SessionControl {
  results = null; // of the shown activity
  answers = [];
  hasMoreAnswers = false; // more than listed
  isNearCap = false; // close to the limit of responses
  notice = ""; // the last action of another host
  #otherHosts;
  #nextPeople = null; // cursor of the next page
  #allPeople = 0;
  #timer = 0;
  #dirty = false;

  constructor(client, id, draw) {
    super(client, id, draw);
    this.#otherHosts = new OtherHosts(client, this.path);
  }

  async begin() {
    await super.begin();
    await this.#otherHosts.latest();
    this.refresh();
  }

  async load() {
    await Promise.all([this.#readPeople(), super.load()]);
  }

  async #readPeople(from = "") {
    const { items, total, next_cursor: next } = await this.client.get(`${this.path}/participants?limit=1000${from}`);
    this.mergeAll("participant", items);
    this.#nextPeople = next;
    this.#allPeople = total;
  }

  loadMorePeople = () => this.run(() => this.#readPeople(`&cursor=${this.#nextPeople}`));

  get people() {
    return this.fold.all("participant");
  }

  get hasMorePeople() {
    return this.#nextPeople !== null;
  }

  // The number of listed participants, or the server's count while that is larger.
  get peopleCount() {
    return this.hasMorePeople ? Math.max(this.#allPeople, this.people.length) : this.people.length;
  }

  apply(items) {
    const before = this.shown?.id;
    const steps =
      items.some(
        ({ entity, id, data }) =>
          entity === "activity" && data?.status !== this.fold.entities.activity.get(id)?.data?.status,
      ) || items.some(({ entity, data }) => entity === "session" && data?.status !== this.session?.status);
    super.apply(items);
    if (this.shown?.id !== before) this.results = null;
    if (steps) void this.#readOtherHosts();
    this.refresh();
  }

  async #readOtherHosts() {
    const line = await this.#otherHosts.latest().catch(() => null);
    const message = line && describe(line, (id) => this.titleOf(id));
    if (!message) return;
    this.notice = message;
    announce(message);
    setTimeout(() => this.notice === message && ((this.notice = ""), this.draw()), NEWS_MS);
    this.draw();
  }

  titleOf(id) {
    const activity = this.fold.entities.activity.get(id)?.data;
    return activity ? (activity.title ?? questionOf(activity)) : "";
  }

  // Reads results, at most twice a second.
  refresh() {
    this.#dirty = true;
    if (this.#timer) return;
    this.#timer = setTimeout(
      async () => {
        this.#dirty = false;
        await this.#read().catch(() => null);
        this.#timer = 0;
        if (this.#dirty) this.refresh();
      },
      this.results ? REFRESH_MS : 0,
    );
  }

  // Reads results again that are still being counted.
  #retryLater({ status, retryAfterS }) {
    if (status === 503 && retryAfterS) setTimeout(() => this.refresh(), retryAfterS * 1000);
  }

  async #read() {
    if (this.hasMorePeople) await this.#countPeople();
    const shown = this.shown;
    if (!shown) return;
    const at = `${this.path}/activities/${shown.id}`;
    const [counted, { near_cap: isNearCap }] = await Promise.all([
      this.client.get(`${at}/results`).catch((problem) => this.#retryLater(problem) ?? this.client.get(`${at}/status`)),
      this.client.get(`${this.path}/status`),
    ]);
    this.isNearCap = isNearCap;
    if (shown.moderation !== "off" || this.session.word_filter.mode !== "off")
      ({ items: this.answers, has_next: this.hasMoreAnswers } = await this.client.get(
        `${at}/responses?limit=200&round=${shown.round}`,
      ));
    else this.answers = [];
    this.results = counted;
    this.ranks =
      counted.results && Object.values(counted.results).some(({ op }) => op === "score")
        ? await this.client.get(`${this.path}/leaderboard?limit=10`).catch(() => null)
        : null;
    if (this.isRunning) announceCount(countOf(counted));
    this.draw();
  }

  async #countPeople() {
    this.#allPeople = (await this.client.get(`${this.path}/status`)).participant_count;
    this.draw();
  }

  merge(entity, data) {
    this.refresh();
    return super.merge(entity, data);
  }

  change = (activity, fields, query = "") =>
    this.run(async () =>
      this.merge("activity", await this.client.patch(`${this.path}/activities/${activity.id}${query}`, fields)),
    );

  create = (fields) =>
    this.run(async () =>
      this.merge("activity", await this.client.post(`${this.path}/activities`, fields, { key: newKey() })),
    );

  remove = (activity) => this.run(() => this.client.delete(`${this.path}/activities/${activity.id}`));

  // Moves an activity up or down, and renumbers activities with another index.
  async move(activity, by) {
    const order = this.activities;
    const from = order.indexOf(activity);
    const [other] = [order[from + by]];
    if (!other) return;
    order[from] = other;
    order[from + by] = activity;
    for (const [index, each] of order.entries())
      if (each.order_index !== index) await this.change(each, { order_index: index });
  }

  copy = ({ type_version: version, ...activity }) =>
    this.create({
      ...Object.fromEntries(COPIED.map((name) => [name, activity[name]])),
      type_version: version === "unknown" ? null : version,
    });

  focus = (response) =>
    this.run(() => this.client.post(`${this.path}/activities/${this.shown.id}/focus`, { response_id: response }));

  async moderate(response, moderation) {
    const before = response.moderation;
    const done = await this.run(() => this.#setModeration(response, moderation));
    if (done && moderation === "hidden")
      this.offerUndo("remove", () => this.run(() => this.#setModeration(response, before)));
  }

  async #setModeration(response, moderation) {
    await this.client.patch(`${this.path}/activities/${response.activity_id}/responses/${response.id}`, { moderation });
    await this.#read();
    return true;
  }

  rename = (person, nickname) =>
    this.run(async () =>
      this.merge("participant", await this.client.patch(`/participants/${person.id}`, { nickname })),
    );
  kick = (person) => this.run(() => this.client.delete(`/participants/${person.id}`));

  async screenLink() {
    const name = `screen.${this.id}`;
    const token = tokens.get(name);
    if (!token || (await isTokenValid(token, this.path)) === false)
      tokens.set(name, (await this.client.post(`${this.path}/tokens`, { role: "screen" })).token);
    return `~/screen/${this.id}#token=${tokens.get(name)}`;
  }

  cohostLink = async () => {
    const { token } = await this.client.post(`${this.path}/tokens`, { role: "host" });
    return `~/host/s/${this.id}#token=${token}`;
  };
}
