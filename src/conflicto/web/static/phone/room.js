// The room on a phone: the activity that runs, one's own answer on its way, and what came of it.

import { phaseOf } from "../core/activity.js";
import { announce } from "../core/announce.js";
import { Problem, freshKey, time } from "../core/api.js";
import { patch } from "../core/dom.js";
import { Fold, Follow } from "../core/follow.js";
import { placeLooks } from "../core/looks.js";
import { Outbox } from "../core/outbox.js";
import { t } from "../core/words.js";
import { keepPage, rooms } from "./keeping.js";
import { SENDING_MS, drawRoom } from "./picture.js";
import { Spoken } from "./spoken.js";

const BEAT_MS = 20_000;
const OFFLINE_AFTER_MS = 2_000;
const LOOK_MS = 2_000;
const COUNT_MS = 5_000;
const KEEP_MS = 500;

export class Room {
  #main; #leave; #follow; #offlineTimer; #keepTimer;
  #isRemembered;
  #isOver = false;
  #spoken = new Spoken();
  fold = new Fold();
  outbox; caller; session;
  isOffline = false;
  isOutdated = false;
  people = null; // how many are here, where nothing runs
  score = null;
  drafts = new Map();
  said = new Map(); // by round of an activity: a Problem that is final
  results = new Map();
  others = new Map();

  constructor(main, session, caller, leave) {
    this.#main = main;
    this.session = session;
    this.caller = caller;
    this.#leave = leave;
    this.fold.take(rooms.last(session));
    this.#isRemembered = this.fold.session !== null;
    main.replaceChildren();
    main.addEventListener("draft", (event) => this.#began(event.detail));
    main.addEventListener("answer", (event) => this.answer(event.detail.response));
    main.addEventListener("failed", () => (this.failed = true, this.draw()));
  }

  async open() {
    this.draw();
    this.outbox = new Outbox(this.caller, (entry, outcome) => this.#delivered(entry, outcome));
    this.#follow = new Follow(this.caller, this.session, {
      apply: (items) => this.#take(items), connected: (is) => this.#connected(is), gone: (problem) => this.#gone(problem),
      outdated: () => this.#isOld(),
    });
    this.#follow.start();
    await this.outbox.open(`seat.${this.session}`);
    keepPage();
    this.#beat();
    this.#look();
    this.#count();
    setInterval(() => this.activity?.ends_at && this.draw(), 1_000);
  }

  get me() {
    return this.fold.alive("participant")[0];
  }

  get activity() {
    const { current_activity_id: current, shown_activity_id: shown } = this.fold.session ?? {};
    return this.fold.of.activity.get(current ?? shown)?.data ?? null;
  }

  get slot() {
    const activity = this.activity;
    return activity && `${activity.id} ${activity.round}`;
  }

  // One's own answers of this round, oldest first: those that arrived.
  get answers() {
    const { id, round } = this.activity;
    return this.fold.alive("response").filter((each) => each.activity_id === id && each.round === round && !each.deleted)
      .sort((a, b) => (a.updated_at < b.updated_at ? -1 : 1));
  }

  get waiting() {
    return (this.outbox?.entries ?? []).filter((entry) => entry.of === this.slot).at(-1) ?? null;
  }

  get draft() {
    return this.drafts.get(this.slot) ?? stored(this.slot);
  }

  #began({ response, isComplete }) {
    this.drafts.set(this.slot, { response, isComplete });
    this.said.delete(this.slot);
    sessionStorage.setItem(`draft ${this.slot}`, JSON.stringify({ response, isComplete }));
    this.draw();
  }

  async answer(response) {
    const { id, response_policy: policy } = this.activity;
    this.drafts.delete(this.slot);
    sessionStorage.removeItem(`draft ${this.slot}`);
    const at = Date.now(); // before the timer, or what it draws could be a moment too early to say that it takes long
    setTimeout(this.draw, SENDING_MS);
    await this.outbox.put({
      key: freshKey(), at, of: this.slot, slot: policy === "many" ? null : this.slot, body: { response_data: response },
      path: `/sessions/${this.session}/activities/${id}/responses`,
    });
  }

  #delivered(entry, outcome) {
    if (outcome instanceof Problem) {
      if (outcome.status === 401) return this.#gone(outcome);
      this.said.set(entry.of, outcome);
      this.drafts.set(entry.of, { response: entry.body.response_data, isComplete: true });
    } else if (outcome?.id) {
      this.fold.take([{ entity: "response", id: outcome.id, revision: outcome.revision, data: outcome }]);
      announce(t("answer.in"));
    } else if (this.isOffline) announce(t(this.outbox.isKept ? "answer.kept" : "answer.kept_open"));
    this.draw();
  }

  #take(items) {
    const before = this.slot;
    if (this.#isRemembered) this.fold = new Fold(); // what went meanwhile is not told
    this.#isRemembered = false;
    this.fold.take(items);
    this.#keep();
    if (this.slot !== before) this.failed = false;
    this.#fetchResults();
    this.draw();
  }

  // The room as it is seen now is what is shown if the page is opened without a connection.
  #keep() {
    clearTimeout(this.#keepTimer);
    this.#keepTimer = setTimeout(() => rooms.keep(this.session, Object.values(this.fold.of).flatMap((each) => [...each.values()])), KEEP_MS);
  }

  #connected(is) {
    clearTimeout(this.#offlineTimer);
    if (is && this.isOffline) this.outbox.flush();
    if (is) this.isOffline = false;
    else if (!this.isOffline) {
      this.#offlineTimer = setTimeout(() => {
        this.isOffline = true;
        announce(t("state.offline"));
        this.draw();
      }, OFFLINE_AFTER_MS);
    }
    if (is) this.draw();
  }

  #isOld() {
    if (!this.isOutdated) announce(t("state.updated"));
    this.isOutdated = true;
    this.draw();
  }

  #gone(problem) {
    this.#follow.end();
    if (![401, 403, 404].includes(problem.status)) return;
    this.#forget();
    this.#leave(this.session, t("state.removed"), problem.status === 401 && this.#hasLink);
  }

  // Who loses the seat while a link of it is good has most likely moved it.
  get #hasLink() {
    return time.now() < Date.parse(localStorage.getItem(`conflicto.link.${this.session}`) ?? 0);
  }

  async #beat() {
    if (this.#isOver) return;
    const mine = this.me?.id;
    if (mine && !document.hidden) {
      const said = await this.caller.post(`/participants/${mine}/heartbeat`).catch(() => null);
      time.learn(said?.server_time);
    }
    setTimeout(() => this.#beat(), mine ? BEAT_MS : 500);
  }

  async #fetchResults() {
    const activity = this.activity;
    const mayBeOpen = activity && (activity.results_revealed || ["always", "after_answer"].includes(activity.results_visibility));
    if (!mayBeOpen) return;
    const slot = this.slot;
    const path = `/sessions/${this.session}`;
    const [results, ranks] = await Promise.all([
      this.caller.get(`${path}/activities/${activity.id}/results`).catch(() => null),
      activity.results_revealed ? this.caller.get(`${path}/leaderboard?limit=5`).catch(() => null) : null,
    ]);
    this.results.set(slot, results && { ...results, ranks });
    this.score = ranks?.me?.points ?? this.score;
    this.draw();
  }

  // Others' answers wake no phone, so a list of them is looked at while it is shown.
  async #look() {
    if (this.#isOver) return;
    const activity = this.activity;
    if (activity?.responses_visibility === "participants" && !document.hidden && !this.isOffline) {
      const known = this.others.get(activity.id) ?? { fold: new Map(), cursor: "0" };
      this.others.set(activity.id, known);
      const page = await this.caller.get(`/sessions/${this.session}/activities/${activity.id}/responses/since/${known.cursor}?limit=500`).catch(() => null);
      if (page) {
        for (const item of page.items) if (item.deleted) known.fold.delete(item.id); else known.fold.set(item.id, item);
        known.cursor = page.cursor;
        if (page.items.length) this.draw();
      }
    }
    if (activity && !activity.results_revealed && activity.results_visibility !== "after_reveal") this.#fetchResults();
    setTimeout(() => this.#look(), LOOK_MS);
  }

  // Joins wake no phone either; a lobby asks how many there are.
  async #count() {
    if (this.#isOver) return;
    if (this.fold.session && !this.activity && !document.hidden && !this.isOffline) {
      this.people = (await this.caller.get(`/sessions/${this.session}/status`).catch(() => null))?.participant_count ?? this.people;
      this.draw();
    }
    setTimeout(() => this.#count(), this.fold.session ? COUNT_MS : 500);
  }

  async rename(nickname) {
    const renamed = await this.caller.patch("/participants/me", { nickname });
    this.fold.take([{ entity: "participant", id: renamed.id, revision: renamed.revision, data: renamed }]);
    this.draw();
  }

  // How many points there are to tell; between two questions nothing else says so.
  async knowScore() {
    this.score = (await this.caller.get("/participants/me").catch(() => null))?.points ?? this.score;
    this.draw();
  }

  // `answers`: keep or delete.
  async leave(answers) {
    this.#follow.end();
    await this.caller.delete(`/participants/me?responses=${answers}`).catch(() => null);
    this.#forget();
    this.#leave(this.session, "");
  }

  #forget() {
    this.#isOver = true;
    clearTimeout(this.#keepTimer);
    rooms.drop(this.session);
  }

  draw = () => {
    if (this.#isOver) return; // the door stands here again
    const place = this.#main.querySelector(".now");
    const wasInside = place?.contains(document.activeElement) ?? false;
    patch(this.#main, drawRoom(this, this.activity && phaseOf(this.activity)));
    placeLooks(this.#main.querySelector("[data-looks-place]"));
    this.#spoken.tell(this);
    // Whoever was at something that went is brought to what came; nobody else is moved.
    if (wasInside && document.activeElement === document.body) this.#main.querySelector(".now h1")?.focus();
  };
}

function stored(slot) {
  const kept = slot && sessionStorage.getItem(`draft ${slot}`);
  return kept ? JSON.parse(kept) : null;
}
