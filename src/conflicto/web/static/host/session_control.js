// The state and commands of a session, for every page of a host. The state comes from the feed and from responses of
// the server, never from expected results.

import { questionOf } from "../core/activity.js";
import { Problem } from "../core/api.js";
import { FeedFollower, Fold, learnTypes } from "../core/feed.js";
import { t } from "../core/i18n.js";
import { syncClock } from "../screen/clock.js";

const UNDO_MS = 8_000;
const PAUSE_MS = { min: 1_000, max: 10_000 };
const TIMER_S = 60; // if an activity has no duration
export const MORE_S = 30;

export class SessionControl {
  fold = new Fold();
  isOffline = false;
  blocked = ""; // the problem of the feed, as text
  isOutdated = false;
  message = "";
  undo = null;
  isBusy = false;
  #isFollowing = false;
  #undone = new Set(); // activities whose start was undone: they come next again

  constructor(client, id, draw) {
    this.client = client;
    this.id = id;
    this.path = `/sessions/${id}`;
    this.draw = draw;
  }

  // Loads the session, and retries until it succeeds.
  async open() {
    for (let pause = PAUSE_MS.min; ; pause = Math.min(PAUSE_MS.max, pause * 2)) {
      try {
        await this.begin();
        this.message = "";
        return this.draw();
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        this.message = !problem.isTransient && problem.status === 401 ? t("host.no_token") : problem.text;
        this.draw();
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  async begin() {
    const { cursor } = await this.client.get(`${this.path}/changes/since/now`, { required: ["cursor"] });
    await this.load();
    if (this.#isFollowing) return;
    this.#isFollowing = true;
    new FeedFollower(this.client, this.id, {
      since: cursor,
      apply: (items) => this.apply(items),
      connected: (is, problem) => {
        this.isOffline = !is;
        this.blocked = is ? "" : (problem?.text ?? this.blocked);
        this.draw();
      },
      gone: (problem) => {
        this.blocked = problem.text;
        this.draw();
        return true;
      },
      outdated: () => {
        this.isOutdated = true;
        this.draw();
        this.outdated();
      },
    }).start();
    syncClock(this.client, this.id);
  }

  // Called once the server has a newer build.
  outdated() {}

  async load() {
    this.mergeAll("session", [await this.client.get(this.path)]);
    await this.#loadActivities();
  }

  // Loads all pages of activities.
  async #loadActivities() {
    for (let cursor = ""; cursor !== null;) {
      const page = await this.client.get(`${this.path}/activities?limit=1000${cursor && `&cursor=${cursor}`}`);
      await learnTypes(page.items);
      this.mergeAll("activity", page.items);
      cursor = page.next_cursor;
    }
  }

  mergeAll(entity, found) {
    this.fold.apply(found.map((data) => ({ entity, id: data.id, revision: data.revision, data })));
  }

  apply(items) {
    this.fold.apply(items);
    this.draw();
  }

  get session() {
    return this.fold.session;
  }

  get activities() {
    return this.fold.activities;
  }

  // The running activity, else the shown one. An activity's change may arrive before the session's.
  get shown() {
    const { current_activity_id: current, shown_activity_id: shown } = this.session ?? {};
    const running = this.activities
      .filter(({ status }) => status === "active")
      .sort((a, b) => (a.updated_at < b.updated_at ? 1 : -1));
    return running[0] ?? this.fold.entities.activity.get(current ?? shown)?.data ?? null;
  }

  get isRunning() {
    return this.shown?.status === "active";
  }

  get #place() {
    return this.activities.findIndex(({ id }) => id === this.shown?.id);
  }

  get next() {
    return (
      this.activities
        .slice(this.#place + 1)
        .find(({ id, status }) => status === "draft" || status === "published" || this.#undone.has(id)) ?? null
    );
  }

  get previous() {
    if (this.isRunning) return null;
    return (
      this.activities
        .slice(0, Math.max(0, this.#place))
        .reverse()
        .find(({ status }) => status === "expired") ?? null
    );
  }

  // The next step: its name, its texts and its action.
  get step() {
    const { session, shown, next } = this;
    if (session.status === "draft") return { name: "open", act: () => this.patch({ status: "active" }) };
    if (session.status === "completed") return { name: "over" };
    if (this.isRunning) return { name: "lock", act: () => this.lock() };
    if (shown?.status === "expired" && !shown.results_revealed && shown.results_visibility === "after_reveal")
      return { name: "reveal", act: () => this.reveal(true) };
    if (next) return { name: "start", title: next.title ?? questionOf(next), act: () => this.start(next) };
    return { name: "end", act: () => confirm(t("step.end_sure")) && this.patch({ status: "completed" }) };
  }

  // Runs a command, and stores the message of its problem.
  async run(what) {
    this.message = "";
    this.isBusy = true;
    try {
      return await what();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      this.message = problem.text;
      this.problem = problem;
      return null;
    } finally {
      this.isBusy = false;
      this.draw();
    }
  }

  merge(entity, data) {
    this.mergeAll(entity, [data]);
    return data;
  }

  patch = (fields) => this.run(async () => this.merge("session", await this.client.patch(this.path, fields)));
  postSession = (what, body) =>
    this.run(async () => this.merge("session", await this.client.post(`${this.path}/${what}`, body)));

  postActivity = (activity, what, body) =>
    this.run(async () =>
      this.merge("activity", await this.client.post(`${this.path}/activities/${activity.id}/${what}`, body)),
    );

  transition = (activity, status, more = {}) =>
    this.postActivity(activity, "transition", { target_status: status, ...more });

  show = (activity) => this.postSession("show", { activity_id: activity?.id ?? null });
  toggleOverlay = (overlay) =>
    this.postSession("overlay", { overlay: this.session.overlay === overlay ? null : overlay });
  setLocked = (locked) => this.postSession("lock", { locked });
  reopen = () => this.transition(this.shown, "active");
  more = () => this.postActivity(this.shown, "extend", { seconds: MORE_S });
  round = () => this.postActivity(this.shown, "rounds", {});

  reset = () => {
    const { id } = this.shown;
    return confirm(t("key.reset_sure")) && this.run(() => this.client.post(`${this.path}/activities/${id}/reset`));
  };

  async start(activity) {
    const before = this.shown;
    this.#undone.delete(activity.id);
    if (await this.transition(activity, "active")) this.offerUndo("start", () => this.#undoStart(activity, before));
  }

  // Resumes the activity that ran before, or shows the ended one again.
  async #undoStart(activity, before) {
    if (before?.status === "active") await this.transition(before, "active");
    else if (await this.transition(activity, "expired")) await this.show(before);
    this.#undone.add(activity.id);
    this.draw();
  }

  async lock() {
    const shown = this.shown;
    if (await this.transition(shown, "expired")) this.offerUndo("lock", () => this.transition(shown, "active"));
  }

  // Reveals results, together with the secret after the end of answering.
  async reveal(on) {
    const shown = this.shown;
    const hasSecret = shown.secret !== null && shown.status === "expired";
    const done = await this.postActivity(shown, "reveal", hasSecret ? { results: on, secret: on } : { results: on });
    if (done && on) this.offerUndo("reveal", () => this.reveal(false));
  }

  showResults = (on) => this.postActivity(this.shown, "reveal", { results: on });
  showSecret = (on) => this.postActivity(this.shown, "reveal", { secret: on });

  // Starts the timer now; the server computes its end.
  startTimer = () =>
    this.postActivity(this.shown, "extend", { seconds: this.shown.duration_seconds ?? TIMER_S, counted_from: "now" });

  // Starts the activity of this number, or shows it again after its end.
  async jump(number) {
    const activity = this.activities[number - 1];
    if (!activity || activity.id === this.shown?.id) return;
    if (activity.status === "draft" || activity.status === "published") await this.start(activity);
    else if (!this.isRunning) await this.show(activity);
  }

  offerUndo(name, act) {
    const undo = {
      name,
      act: () => {
        this.undo = null;
        return act();
      },
    };
    this.undo = undo;
    setTimeout(() => this.undo === undo && ((this.undo = null), this.draw()), UNDO_MS);
    this.draw();
  }
}
