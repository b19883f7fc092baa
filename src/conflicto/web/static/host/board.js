// What a host's page knows of its session, and the steps it can take. It shows what the server said, never what it hopes for.

import { questionOf } from "../core/activity.js";
import { Problem, freshKey, tokens } from "../core/api.js";
import { Fold, Follow } from "../core/follow.js";
import { t } from "../core/words.js";

const UNDO_MS = 8_000;
const REFRESH_MS = 500;

export class Board {
  fold = new Fold();
  isOffline = false;
  said = "";
  results = null; // of the activity that is shown
  answers = [];
  undo = null;
  #timer = 0;
  #dirty = false;

  constructor(caller, id, draw) {
    this.caller = caller;
    this.id = id;
    this.path = `/sessions/${id}`;
    this.draw = draw;
  }

  async open() {
    const { cursor } = await this.caller.get(`${this.path}/changes/since/now`);
    const [session, activities, people] = await Promise.all(
      ["", "/activities?limit=1000", "/participants?limit=1000"].map((what) => this.caller.get(this.path + what)));
    const as = (entity) => (data) => ({ entity, id: data.id, revision: data.revision, data });
    this.fold.take([as("session")(session), ...activities.items.map(as("activity")), ...people.items.map(as("participant"))]);
    new Follow(this.caller, this.id, {
      since: cursor, apply: (items) => this.#take(items), connected: (is) => (this.isOffline = !is, this.draw()),
      gone: (problem) => (this.said = problem.text, this.draw()),
    }).start();
    await this.refresh();
  }

  get session() {
    return this.fold.session;
  }

  get activities() {
    return this.fold.activities;
  }

  get people() {
    return this.fold.alive("participant");
  }

  get shown() {
    const { current_activity_id: current, shown_activity_id: shown } = this.session ?? {};
    return this.fold.of.activity.get(current ?? shown)?.data ?? null;
  }

  get next() {
    const behind = this.shown ? this.activities.findIndex(({ id }) => id === this.shown.id) + 1 : 0;
    return this.activities.slice(behind).find(({ status }) => status === "draft" || status === "published") ?? null;
  }

  // The one step that comes next: its name, the words for it, and what it does.
  get step() {
    const { session, shown, next } = this;
    if (session.status === "draft") return { name: "open", act: () => this.patch({ status: "active" }) };
    if (session.status === "completed") return { name: "over" };
    if (shown?.status === "active") return { name: "lock", act: () => this.lock() };
    if (shown?.status === "expired" && !shown.results_revealed && shown.results_visibility === "after_reveal") return { name: "reveal", act: () => this.reveal(true) };
    if (next) return { name: "start", title: next.title ?? questionOf(next), act: () => this.start(next) };
    return { name: "end", act: () => confirm(t("host.end_sure")) && this.patch({ status: "completed" }) };
  }

  #take(items) {
    const before = this.shown?.id;
    this.fold.take(items);
    if (this.shown?.id !== before) this.results = null;
    this.refresh();
    this.draw();
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

  async #read() {
    const shown = this.shown;
    if (!shown) return;
    const at = `${this.path}/activities/${shown.id}`;
    const counted = await this.caller.get(`${at}/results`).catch(() => this.caller.get(`${at}/status`));
    if (shown.moderation !== "off" || this.wantsAnswers || this.session.word_filter.mode !== "off") this.answers = (await this.caller.get(`${at}/responses?limit=200&round=${shown.round}`)).items;
    else this.answers = [];
    this.results = counted;
    this.ranks = counted.results && Object.values(counted.results).some(({ op }) => op === "score")
      ? await this.caller.get(`${this.path}/leaderboard?limit=10`).catch(() => null) : null;
    this.draw();
  }

  // Does what a click asked for, takes over what the server answered, and says what went wrong.
  async does(what) {
    this.said = "";
    try {
      return await what();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      this.said = problem.text;
      this.problem = problem;
      return undefined;
    } finally {
      this.draw();
    }
  }

  #keep(entity, data) {
    this.fold.take([{ entity, id: data.id, revision: data.revision, data }]);
    this.refresh();
    return data;
  }

  patch = (fields) => this.does(async () => this.#keep("session", await this.caller.patch(this.path, fields)));

  change = (activity, fields, query = "") =>
    this.does(async () => this.#keep("activity", await this.caller.patch(`${this.path}/activities/${activity.id}${query}`, fields)));

  tell = (activity, what, body) =>
    this.does(async () => this.#keep("activity", await this.caller.post(`${this.path}/activities/${activity.id}/${what}`, body)));

  make = (fields) => this.does(async () => this.#keep("activity", await this.caller.post(`${this.path}/activities`, fields, { key: freshKey() })));

  remove = (activity) => this.does(() => this.caller.delete(`${this.path}/activities/${activity.id}`));

  start = (activity) => this.tell(activity, "transition", { target_status: "active" });
  reopen = () => this.tell(this.shown, "transition", { target_status: "active" });

  async lock() {
    const shown = this.shown;
    if (await this.tell(shown, "transition", { target_status: "expired" })) this.#offerUndo("lock", () => this.tell(shown, "transition", { target_status: "active" }));
  }

  async reveal(on) {
    const shown = this.shown;
    const hasSecret = shown.secret !== null && shown.status === "expired";
    const done = await this.tell(shown, "reveal", hasSecret ? { results: on, secret: on } : { results: on });
    if (done && on) this.#offerUndo("reveal", () => this.reveal(false));
  }

  #offerUndo(name, act) {
    const undo = { name, act: () => (this.undo = null, act()) };
    this.undo = undo;
    setTimeout(() => this.undo === undo && (this.undo = null, this.draw()), UNDO_MS);
    this.draw();
  }

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

  copy = ({ type, title, config, secret, aggregate, response_policy, results_visibility, responses_visibility, moderation, anonymous, duration_seconds }) =>
    this.make({ type, title, config, secret, aggregate, response_policy, results_visibility, responses_visibility, moderation, anonymous, duration_seconds });

  moderate = (response, moderation) => this.does(async () => {
    await this.caller.patch(`${this.path}/activities/${response.activity_id}/responses/${response.id}`, { moderation });
    await this.#read();
  });

  rename = (person, nickname) => this.does(async () => this.#keep("participant", await this.caller.patch(`/participants/${person.id}`, { nickname })));
  kick = (person) => this.does(() => this.caller.delete(`/participants/${person.id}`));
  closeDoor = (locked) => this.does(async () => {
    await this.caller.post(`${this.path}/lock`, { locked });
    this.#keep("session", await this.caller.get(this.path));
  });

  async screenLink() {
    const name = `screen.${this.id}`;
    if (!tokens.get(name)) tokens.set(name, (await this.caller.post(`${this.path}/tokens`, { role: "screen" })).token);
    return `/screen/${this.id}#token=${tokens.get(name)}`;
  }

  cohostLink = async () => `/host/s/${this.id}#token=${(await this.caller.post(`${this.path}/tokens`, { role: "host" })).token}`;
}
