// What a host's page knows of its session beyond the steps: results, answers, people, other hosts; and what only that page changes.

import { questionOf } from "../core/activity.js";
import { announce } from "../core/announce.js";
import { freshKey, tokens } from "../core/api.js";
import { works } from "../elements/handover.js";
import { t } from "../core/words.js";
import { announceCount } from "./counts.js";
import { Others, saidOf } from "./others.js";
import { countOf } from "../sdk/pictures.js";
import { Steps } from "./steps.js";

const REFRESH_MS = 500;
const NEWS_MS = 8_000;

export class Board extends Steps {
  results = null; // of the activity that is shown
  answers = [];
  hasMoreAnswers = false; // than are listed
  isNearCap = false; // of the answers that the server keeps of a session
  news = ""; // what another host did last
  #others;
  #nextPeople = null; // the cursor of those who are not listed yet
  #allPeople = 0;
  #timer = 0;
  #dirty = false;

  constructor(caller, id, draw) {
    super(caller, id, draw);
    this.#others = new Others(caller, this.path);
  }

  async begin() {
    await super.begin();
    await this.#others.news();
    await this.refresh();
  }

  async load() {
    await Promise.all([this.#readPeople(), super.load()]);
  }

  async #readPeople(from = "") {
    const { items, total, next_cursor: next } = await this.caller.get(`${this.path}/participants?limit=1000${from}`);
    this.learn("participant", items);
    this.#nextPeople = next;
    this.#allPeople = total;
  }

  showMorePeople = () => this.does(() => this.#readPeople(`&cursor=${this.#nextPeople}`));

  get people() {
    return this.fold.alive("participant");
  }

  get hasMorePeople() {
    return this.#nextPeople !== null;
  }

  // Those who are listed, or the server's count while that is more.
  get peopleCount() {
    return this.hasMorePeople ? Math.max(this.#allPeople, this.people.length) : this.people.length;
  }

  take(items) {
    const before = this.shown?.id;
    const steps = items.some(({ entity, id, data }) => entity === "activity" && data?.status !== this.fold.of.activity.get(id)?.data?.status)
      || items.some(({ entity, data }) => entity === "session" && data?.status !== this.session?.status);
    super.take(items);
    if (this.shown?.id !== before) this.results = null;
    if (steps) this.#hearOthers();
    this.refresh();
  }

  async #hearOthers() {
    const line = await this.#others.news().catch(() => null);
    const said = line && saidOf(line, (id) => this.titleOf(id));
    if (!said) return;
    this.news = said;
    announce(said);
    setTimeout(() => this.news === said && (this.news = "", this.draw()), NEWS_MS);
    this.draw();
  }

  titleOf(id) {
    const activity = this.fold.of.activity.get(id)?.data;
    return activity ? activity.title ?? questionOf(activity) : "";
  }

  // At most twice a second, however many answers arrive.
  async refresh() {
    this.#dirty = true;
    if (this.#timer) return;
    this.#timer = setTimeout(async () => {
      this.#dirty = false;
      await this.#read().catch(() => null);
      this.#timer = 0;
      if (this.#dirty) this.refresh();
    }, this.results ? REFRESH_MS : 0);
  }

  // Results that are being counted are read again.
  #comeBack({ status, retryAfterS }) {
    if (status === 503 && retryAfterS) setTimeout(() => this.refresh(), retryAfterS * 1000);
  }

  async #read() {
    if (this.hasMorePeople) await this.#countPeople();
    const shown = this.shown;
    if (!shown) return;
    const at = `${this.path}/activities/${shown.id}`;
    const [counted, { near_cap: isNearCap }] = await Promise.all([
      this.caller.get(`${at}/results`).catch((problem) => this.#comeBack(problem) ?? this.caller.get(`${at}/status`)), this.caller.get(`${this.path}/status`)]);
    this.isNearCap = isNearCap;
    if (shown.moderation !== "off" || this.wantsAnswers || this.session.word_filter.mode !== "off") ({ items: this.answers, has_next: this.hasMoreAnswers } = await this.caller.get(`${at}/responses?limit=200&round=${shown.round}`));
    else this.answers = [];
    this.results = counted;
    this.ranks = counted.results && Object.values(counted.results).some(({ op }) => op === "score")
      ? await this.caller.get(`${this.path}/leaderboard?limit=10`).catch(() => null) : null;
    if (this.isRunning) announceCount(countOf(counted));
    this.draw();
  }

  async #countPeople() {
    this.#allPeople = (await this.caller.get(`${this.path}/status`)).participant_count;
    this.draw();
  }

  keep(entity, data) {
    this.refresh();
    return super.keep(entity, data);
  }

  change = (activity, fields, query = "") =>
    this.does(async () => this.keep("activity", await this.caller.patch(`${this.path}/activities/${activity.id}${query}`, fields)));

  make = (fields) => this.does(async () => this.keep("activity", await this.caller.post(`${this.path}/activities`, fields, { key: freshKey() })));

  remove = (activity) => this.does(() => this.caller.delete(`${this.path}/activities/${activity.id}`));

  // Puts an activity one place up or down: the list is numbered anew where two share a number.
  async move(activity, by) {
    const order = this.activities;
    const from = order.indexOf(activity);
    const [other] = [order[from + by]];
    if (!other) return;
    order[from] = other;
    order[from + by] = activity;
    for (const [index, each] of order.entries()) if (each.order_index !== index) await this.change(each, { order_index: index });
  }

  copy = ({ type, title, config, secret, aggregate, response_policy, results_visibility, responses_visibility, moderation, anonymous, min_group, duration_seconds }) =>
    this.make({ type, title, config, secret, aggregate, response_policy, results_visibility, responses_visibility, moderation, anonymous, min_group, duration_seconds });

  focus = (response) => this.does(() => this.caller.post(`${this.path}/activities/${this.shown.id}/focus`, { response_id: response }));

  async moderate(response, moderation) {
    const before = response.moderation;
    const done = await this.does(() => this.#judge(response, moderation));
    if (done && moderation === "hidden") this.offerUndo("remove", () => this.does(() => this.#judge(response, before)));
  }

  async #judge(response, moderation) {
    await this.caller.patch(`${this.path}/activities/${response.activity_id}/responses/${response.id}`, { moderation });
    await this.#read();
    return true;
  }

  rename = (person, nickname) => this.does(async () => this.keep("participant", await this.caller.patch(`/participants/${person.id}`, { nickname })));
  kick = (person) => this.does(() => this.caller.delete(`/participants/${person.id}`));

  async screenLink() {
    const name = `screen.${this.id}`;
    const held = tokens.get(name);
    if (!held || (await works(held, this.path)) === false) tokens.set(name, (await this.caller.post(`${this.path}/tokens`, { role: "screen" })).token);
    return `~/screen/${this.id}#token=${tokens.get(name)}`;
  }

  cohostLink = async () => {
    const { token } = await this.caller.post(`${this.path}/tokens`, { role: "host" });
    return `~/host/s/${this.id}#token=${token}`;
  };
}
