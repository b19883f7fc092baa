// The room on a phone: the activity that runs, one's own answer on its way, and what came of it.

import { phaseOf, questionOf } from "../core/activity.js";
import { announce } from "../core/announce.js";
import { Problem, freshKey, subjectOf, time } from "../core/api.js";
import { patch } from "../core/dom.js";
import { Fold, Follow } from "../core/follow.js";
import { looks } from "../core/looks.js";
import { Outbox } from "../core/outbox.js";
import { ofTab, store } from "../core/store.js";
import { boot, t, wordsForLater } from "../core/words.js";
import { SENDING_MS, drawRoom } from "./picture.js";
import { listed, rooms } from "./rooms.js";
import { Spoken } from "./spoken.js";

const BEAT_MS = 20_000;
const OFFLINE_AFTER_MS = 2_000;
const LOOK_MS = 2_000;
const COUNT_MS = 5_000;
const KEEP_MS = 500;
const REST_MS = 1_500;

export class Room {
  #main; #leave; #follow; #offlineTimer; #keepTimer;
  #isRemembered;
  #isOver = false;
  #wasOpen = null; // the slot that was open when the room was last drawn
  #spoken = new Spoken();
  fold = new Fold();
  outbox; caller; session;
  isOffline = false;
  isOutdated = false;
  people = null; // how many are here, where nothing runs
  score = null;
  drafts = new Map();
  refused; // answers that do not count, until they are dismissed
  blocked = null; // what answers in place of the server, once it has done so for a minute
  rest = null; // the module of what is needed seldom or late
  results = new Map();
  others = new Map();

  constructor(main, session, caller, leave) {
    this.#main = main;
    this.session = session;
    this.caller = caller;
    this.#leave = leave;
    this.fold.take(rooms.last(session));
    this.#isRemembered = this.fold.session !== null;
    this.refused = listed(`conflicto.refused.${session}`);
    main.replaceChildren();
    main.addEventListener("draft", (event) => this.#began(event.detail));
    main.addEventListener("answer", (event) => this.answer(event.detail.response));
    main.addEventListener("failed", () => (this.failed = true, this.draw()));
  }

  async open() {
    this.draw();
    this.outbox = new Outbox(this.caller, (entry, outcome) => this.#delivered(entry, outcome));
    this.#follow = new Follow(this.caller, this.session, {
      apply: (items) => this.#take(items), connected: (is, problem) => this.#connected(is, problem), gone: (problem) => this.#gone(problem),
      outdated: () => this.#isOld(), forget: () => (clearTimeout(this.#keepTimer), rooms.keep(this.session, [])),
    });
    this.#follow.start();
    addEventListener("storage", ({ key, newValue }) => key === `conflicto.seat.${this.session}` && this.#isElsewhere(newValue));
    await this.outbox.open(`seat.${this.session}`);
    setTimeout(() => this.loadRest(), REST_MS);
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

  // Whether answers of a round are taken now, as far as this phone knows.
  isOpen(of) {
    const [id, round] = of.split(" ");
    const activity = this.fold.of.activity.get(id)?.data;
    return activity?.round === Number(round) && phaseOf(activity) === "open";
  }

  #began({ response, isComplete }) {
    this.drafts.set(this.slot, { response, isComplete });
    ofTab.set(`draft ${this.slot}`, JSON.stringify({ response, isComplete }));
    this.draw();
  }

  async answer(response) {
    const { id, response_policy: policy } = this.activity;
    this.#forgetDraft(this.slot);
    if (policy !== "many") this.#keepRefused(this.refused.filter(({ of }) => of !== this.slot));
    const at = Date.now(); // before the timer, or what it draws could be a moment too early to say that it takes long
    setTimeout(this.draw, SENDING_MS);
    await this.outbox.put({
      key: freshKey(), at, of: this.slot, slot: policy === "many" ? null : this.slot, body: { response_data: response },
      path: `/sessions/${this.session}/activities/${id}/responses`,
    });
  }

  #forgetDraft(of) {
    this.drafts.delete(of);
    ofTab.drop(`draft ${of}`);
  }

  #keepRefused(refused) {
    this.refused = refused;
    store.set(`conflicto.refused.${this.session}`, JSON.stringify(refused));
  }

  dismiss(key) {
    for (const { of } of this.refused.filter((each) => each.key === key)) this.#forgetDraft(of);
    this.#keepRefused(this.refused.filter((each) => each.key !== key));
    this.draw();
  }

  #refuse(key, of, data, { status, body }) {
    const activity = this.fold.of.activity.get(of.split(" ")[0])?.data;
    this.#keepRefused([...this.refused.filter((each) => each.key !== key), { key, of, data, status, body, question: activity ? questionOf(activity) : "" }]);
  }

  // What was chosen and not sent when answering ended does not go without a word.
  #noteUnsent(phase) {
    const was = this.#wasOpen;
    this.#wasOpen = phase === "open" ? this.slot : null;
    const draft = was && was !== this.#wasOpen && this.drafts.get(was);
    if (!draft?.isComplete || draft.response === null || [...this.outbox.entries, ...this.refused].some(({ of }) => of === was)) return;
    const [id, round] = was.split(" ");
    const sent = this.fold.alive("response").filter((each) => each.activity_id === id && String(each.round) === round).map((each) => JSON.stringify(each.response_data));
    if (!sent.includes(JSON.stringify(draft.response))) this.#refuse(`unsent ${was}`, was, draft.response, new Problem(0, { code: "unsent" }));
  }

  #delivered(entry, outcome) {
    if (outcome instanceof Problem) {
      if (outcome.status === 401) return this.#gone(outcome);
      this.#refuse(entry.key, entry.of, entry.body.response_data, outcome);
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

  #connected(is, problem = null) {
    clearTimeout(this.#offlineTimer);
    this.blocked = problem;
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

  // By the server's own word; anything else may pass.
  #gone(problem) {
    if (![401, 403, 404].includes(problem.status)) return true;
    this.quit(t("state.removed"), problem.status === 401 && this.#hasLink);
    return false;
  }

  // Another tab of this browser gave the seat up, or took another one.
  #isElsewhere(token) {
    if (this.#isOver) return;
    if (token === null) this.quit();
    else if (this.me && subjectOf(token) !== String(this.me.id)) location.reload();
  }

  // What is seldom needed comes when everything else is there.
  async loadRest() {
    if (this.rest || this.#isOver) return;
    try {
      await wordsForLater();
      this.rest = await import(`${boot.base}/phone/rest.js`);
      this.rest.keepPage();
      this.#fetchResults();
    } catch {
      setTimeout(() => this.loadRest(), LOOK_MS);
    }
    this.draw();
    if (this.rest) looks().then(({ placeLooks }) => placeLooks(this.#main.querySelector("[data-looks-place]")), () => null);
  }

  // Who loses the seat while a link of it is good has most likely moved it.
  get #hasLink() {
    return time.now() < Date.parse(store.get(`conflicto.link.${this.session}`) ?? 0);
  }

  async #beat() {
    if (this.#isOver) return;
    const mine = this.me?.id;
    if (mine && !document.hidden) {
      const began = Date.now();
      const said = await this.caller.post(`/participants/${mine}/heartbeat`).catch(() => null);
      time.learn(said?.server_time, began);
    }
    setTimeout(() => this.#beat(), mine ? BEAT_MS : 500);
  }

  async #fetchResults() {
    const activity = this.activity;
    const mayBeOpen = activity && (activity.results_revealed || ["always", "after_answer"].includes(activity.results_visibility));
    if (!mayBeOpen || !this.rest) return;
    const slot = this.slot;
    const path = `/sessions/${this.session}`;
    const [results, ranks] = await Promise.all([
      this.rest.countedResults(this.caller, `${path}/activities/${activity.id}/results`).catch(() => null),
      activity.results_revealed ? this.caller.get(`${path}/leaderboard?limit=5`).catch(() => null) : null,
    ]);
    await wordsForLater().catch(() => null);
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

  async openMenu() {
    await this.loadRest();
    this.rest?.knowScore(this);
  }

  // Back to the door, where `why` is said.
  quit(why = "", isMoved = false) {
    this.#follow.end();
    this.#isOver = true;
    clearTimeout(this.#keepTimer);
    rooms.drop(this.session);
    this.#leave(this.session, why, isMoved);
  }

  draw = () => {
    if (this.#isOver) return; // the door stands here again
    const place = this.#main.querySelector(".now");
    const wasInside = place?.contains(document.activeElement) ?? false;
    const phase = this.activity && phaseOf(this.activity);
    if (this.outbox) this.#noteUnsent(phase);
    patch(this.#main, drawRoom(this, phase));
    if (!this.#isRemembered) this.#spoken.tell(this); // what was seen before is no news, and may be over
    // Whoever was at something that went is brought to what came; nobody else is moved.
    if (wasInside && document.activeElement === document.body) this.#main.querySelector(".now h1")?.focus();
  };
}

function stored(slot) {
  const kept = slot && ofTab.get(`draft ${slot}`);
  return kept ? JSON.parse(kept) : null;
}
