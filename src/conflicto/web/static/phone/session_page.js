// The page of a session on a phone: the running activity, pending responses and their outcome.

import { areResultsVisible, phaseOf, questionOf } from "../core/activity.js";
import { announce } from "../core/announce.js";
import { Problem, newKey, subjectOf, time } from "../core/api.js";
import { loadAppearance } from "../elements/appearance_loader.js";
import { patch } from "../core/dom.js";
import { FeedFollower, Fold } from "../core/feed.js";
import { loadDeferredTexts, t } from "../core/i18n.js";
import { Outbox } from "../core/outbox.js";
import { storage, tabStorage } from "../core/storage.js";
import { Announcements } from "./announcements.js";
import { moveOn, shownPhase } from "./newer_build.js";
import { readList, snapshots } from "./snapshots.js";
import { SENDING_MS, drawSession } from "./view.js";

const HEARTBEAT_MS = 20_000;
const OFFLINE_AFTER_MS = 2_000;
const POLL_MS = 2_000;
const COUNT_MS = 5_000;
const SNAPSHOT_MS = 500;
const DEFERRED_MS = 1_500;

export class SessionPage {
  #main;
  #leave;
  #follow;
  #offlineTimer;
  #snapshotTimer;
  #isSnapshot;
  #isEnded = false;
  #openSlot = null; // the open slot of the last drawing
  #announcements = new Announcements();
  fold = new Fold();
  outbox;
  client;
  session;
  isOffline = false;
  isOutdated = false;
  participantCount = null; // shown while no activity runs
  score = null;
  drafts = new Map();
  refused; // refused responses, until they are dismissed
  failed = null; // the fault of the shown view
  blocked = null; // the problem of a network that blocks requests for a minute
  deferred = null; // the module deferred.js
  results = new Map();
  others = new Map();

  constructor(main, session, client, leave) {
    this.#main = main;
    this.session = session;
    this.client = client;
    this.#leave = leave;
    this.fold.apply(snapshots.load(session));
    this.#isSnapshot = this.fold.session !== null;
    this.refused = readList(`conflicto.refused.${session}`);
    main.replaceChildren();
    main.addEventListener("draft", (event) => this.#draftChanged(event.detail));
    main.addEventListener("answer", (event) => this.answer(event.detail.response));
    main.addEventListener("failed", ({ detail, target }) => {
      if (target.matches(".own-results")) return; // charts stand in for it
      this.failed = detail?.fault ?? {};
      this.draw();
    });
  }

  async open() {
    this.draw();
    this.outbox = new Outbox(this.client, (entry, outcome) => this.#delivered(entry, outcome));
    this.#follow = new FeedFollower(this.client, this.session, {
      apply: (items) => this.#apply(items),
      connected: (is, problem) => this.#connectionChanged(is, problem),
      gone: (problem) => this.#rejected(problem),
      outdated: () => this.#buildChanged(),
      forget: () => {
        clearTimeout(this.#snapshotTimer);
        snapshots.save(this.session, []);
      },
    });
    this.#follow.start();
    addEventListener(
      "storage",
      ({ key, newValue }) => key === `conflicto.seat.${this.session}` && this.#seatChanged(newValue),
    );
    await this.outbox.open(`seat.${this.session}`);
    setTimeout(() => this.loadDeferred(), DEFERRED_MS);
    void this.#heartbeat();
    void this.#pollOthers();
    void this.#pollCount();
    setInterval(() => this.activity?.ends_at && this.draw(), 1_000);
  }

  get me() {
    return this.fold.all("participant")[0];
  }

  get activity() {
    const { current_activity_id: current, shown_activity_id: shown } = this.fold.session ?? {};
    return this.fold.entities.activity.get(current ?? shown)?.data ?? null;
  }

  get slot() {
    const activity = this.activity;
    return activity && `${activity.id} ${activity.round}`;
  }

  // The participant's stored responses of this round, oldest first.
  get answers() {
    const { id, round } = this.activity;
    return this.fold
      .all("response")
      .filter((each) => each.activity_id === id && each.round === round && !each.deleted)
      .sort((a, b) => (a.updated_at < b.updated_at ? -1 : 1));
  }

  get waiting() {
    return (this.outbox?.entries ?? []).findLast((entry) => entry.of === this.slot) ?? null;
  }

  get draft() {
    return this.drafts.get(this.slot) ?? storedDraft(this.slot);
  }

  // Returns whether a round accepts responses, as far as this phone knows.
  isOpen(of) {
    const [id, round] = of.split(" ");
    const activity = this.fold.entities.activity.get(id)?.data;
    return activity?.round === Number(round) && phaseOf(activity) === "open";
  }

  #draftChanged({ response, isComplete }) {
    this.drafts.set(this.slot, { response, isComplete });
    tabStorage.set(`draft ${this.slot}`, JSON.stringify({ response, isComplete }));
    this.draw();
  }

  async answer(response) {
    const { id, response_policy: policy } = this.activity;
    this.#removeDraft(this.slot);
    if (policy !== "many") this.#saveRefused(this.refused.filter(({ of }) => of !== this.slot));
    const at = Date.now(); // before the timer, so that its drawing is late enough
    setTimeout(this.draw, SENDING_MS);
    await this.outbox.put({
      key: newKey(),
      at,
      of: this.slot,
      slot: policy === "many" ? null : this.slot,
      body: { response_data: response },
      path: `/sessions/${this.session}/activities/${id}/responses`,
    });
  }

  #removeDraft(of) {
    this.drafts.delete(of);
    tabStorage.remove(`draft ${of}`);
  }

  #saveRefused(refused) {
    this.refused = refused;
    storage.set(`conflicto.refused.${this.session}`, JSON.stringify(refused));
  }

  dismiss(key) {
    for (const { of } of this.refused.filter((each) => each.key === key)) this.#removeDraft(of);
    this.#saveRefused(this.refused.filter((each) => each.key !== key));
    this.draw();
  }

  #refuse(key, of, data, { status, body }) {
    const activity = this.fold.entities.activity.get(of.split(" ")[0])?.data;
    this.#saveRefused([
      ...this.refused.filter((each) => each.key !== key),
      { key, of, data, status, body, question: activity ? questionOf(activity) : "" },
    ]);
  }

  // Adds a notice for a complete draft that was not sent before the end.
  #refuseUnsent(phase) {
    const was = this.#openSlot;
    this.#openSlot = phase === "open" ? this.slot : null;
    const draft = was && was !== this.#openSlot && this.drafts.get(was);
    if (
      !draft?.isComplete ||
      draft.response === null ||
      [...this.outbox.entries, ...this.refused].some(({ of }) => of === was)
    )
      return;
    const [id, round] = was.split(" ");
    const sent = this.fold
      .all("response")
      .filter((each) => each.activity_id === id && String(each.round) === round)
      .map((each) => JSON.stringify(each.response_data));
    if (!sent.includes(JSON.stringify(draft.response)))
      this.#refuse(`unsent ${was}`, was, draft.response, new Problem(0, { code: "unsent" }));
  }

  #delivered(entry, outcome) {
    if (outcome instanceof Problem) {
      if (outcome.status === 401) {
        this.#rejected(outcome);
        return;
      }
      this.#refuse(entry.key, entry.of, entry.body.response_data, outcome);
      this.drafts.set(entry.of, { response: entry.body.response_data, isComplete: true });
    } else if (outcome?.id) {
      const { id, revision, updated_at } = outcome;
      this.fold.apply([{ entity: "response", id, revision, updated_at, deleted: false, data: outcome }]);
      announce(t("answer.received"));
    } else if (this.isOffline) announce(t(this.outbox.isPersistent ? "answer.queued" : "answer.queued_open"));
    this.draw();
  }

  #apply(items) {
    const before = this.slot;
    if (this.#isSnapshot) this.fold = new Fold(); // deletions since the snapshot are not in the feed
    this.#isSnapshot = false;
    this.fold.apply(items);
    this.#scheduleSnapshot();
    if (this.slot !== before) this.failed = null;
    void this.#fetchResults();
    this.draw();
  }

  // Stores the state for a start without a connection.
  #scheduleSnapshot() {
    clearTimeout(this.#snapshotTimer);
    this.#snapshotTimer = setTimeout(
      () =>
        snapshots.save(
          this.session,
          Object.values(this.fold.entities).flatMap((each) => [...each.values()]),
        ),
      SNAPSHOT_MS,
    );
  }

  #connectionChanged(is, problem = null) {
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

  #buildChanged() {
    if (!this.isOutdated) announce(t("state.updated"));
    this.isOutdated = true;
    this.draw();
  }

  // Leaves on the server's own refusal. Other problems are transient.
  #rejected(problem) {
    if (![401, 403, 404].includes(problem.status)) return true;
    this.quit(t("state.removed"), problem.status === 401 && this.#hasSeatLink);
    return false;
  }

  // Another tab of this browser left the session, or took another seat.
  #seatChanged(token) {
    if (this.#isEnded) return;
    if (token === null) this.quit();
    else if (this.me && subjectOf(token) !== String(this.me.id)) location.reload();
  }

  // Loads the deferred module and texts after the first view.
  async loadDeferred() {
    if (this.deferred || this.#isEnded) return;
    try {
      await loadDeferredTexts();
      this.deferred = await import("./deferred.js");
      this.deferred.enableOffline();
      void this.#fetchResults();
    } catch {
      setTimeout(() => this.loadDeferred(), POLL_MS);
    }
    this.draw();
    if (this.deferred)
      loadAppearance().then(
        ({ placeAppearanceForm }) => placeAppearanceForm(this.#main.querySelector("[data-appearance-place]")),
        () => null,
      );
  }

  // A seat that is lost while its link is valid has most likely moved.
  get #hasSeatLink() {
    return time.now() < Date.parse(storage.get(`conflicto.link.${this.session}`) ?? "");
  }

  async #heartbeat() {
    if (this.#isEnded) return;
    const mine = this.me?.id;
    if (mine && !document.hidden) {
      const began = Date.now();
      const response = await this.client.post(`/participants/${mine}/heartbeat`).catch(() => null);
      time.sync(response?.server_time, began);
    }
    setTimeout(() => this.#heartbeat(), mine ? HEARTBEAT_MS : 500);
  }

  async #fetchResults() {
    const activity = this.activity;
    if (!activity || !this.deferred) return;
    if (!areResultsVisible(activity, this.answers.length > 0)) {
      this.results.delete(this.slot);
      return;
    }
    const slot = this.slot;
    const path = `/sessions/${this.session}`;
    const [results, ranks] = await Promise.all([
      this.deferred.fetchResults(this.client, `${path}/activities/${activity.id}/results`).catch(() => null),
      activity.results_revealed ? this.client.get(`${path}/leaderboard?limit=5`).catch(() => null) : null,
    ]);
    await loadDeferredTexts().catch(() => null);
    this.results.set(slot, results && { ...results, ranks });
    this.score = ranks?.me?.points ?? this.score;
    this.draw();
  }

  // Polls other participants' responses while they are shown. They do not change the feed.
  async #pollOthers() {
    if (this.#isEnded) return;
    const activity = this.activity;
    if (activity?.responses_visibility === "participants" && !document.hidden && !this.isOffline) {
      const known = this.others.get(activity.id) ?? { fold: new Map(), cursor: "0" };
      this.others.set(activity.id, known);
      const page = await this.client
        .get(`/sessions/${this.session}/activities/${activity.id}/responses/since/${known.cursor}?limit=500`)
        .catch(() => null);
      if (page) {
        for (const item of page.items)
          if (item.deleted) known.fold.delete(item.id);
          else known.fold.set(item.id, item);
        known.cursor = page.cursor;
        if (page.items.length) this.draw();
      }
    }
    if (activity && !activity.results_revealed && activity.results_visibility !== "after_reveal")
      void this.#fetchResults();
    setTimeout(() => this.#pollOthers(), POLL_MS);
  }

  // Polls the number of participants in the lobby.
  async #pollCount() {
    if (this.#isEnded) return;
    if (this.fold.session && !this.activity && !document.hidden && !this.isOffline) {
      this.participantCount =
        (await this.client.get(`/sessions/${this.session}/status`).catch(() => null))?.participant_count ??
        this.participantCount;
      this.draw();
    }
    setTimeout(() => this.#pollCount(), this.fold.session ? COUNT_MS : 500);
  }

  // Starts the view again that failed or was cut off.
  retryView() {
    this.failed = null;
    this.draw();
  }

  async openMenu() {
    await this.loadDeferred();
    this.deferred?.fetchScore(this);
  }

  // Returns to the join form, which shows `reason`.
  quit(reason = "", isMoved = false) {
    this.#follow.end();
    this.#isEnded = true;
    clearTimeout(this.#snapshotTimer);
    snapshots.remove(this.session);
    this.#leave(this.session, reason, isMoved);
  }

  draw = () => {
    if (this.#isEnded) return; // the join form is here again
    const place = this.#main.querySelector(".now");
    const wasInside = place?.contains(document.activeElement) ?? false;
    const phase = shownPhase(this.activity);
    moveOn(this);
    if (this.outbox) this.#refuseUnsent(phase);
    patch(this.#main, drawSession(this, phase));
    if (!this.#isSnapshot) this.#announcements.update(this); // a snapshot is not announced
    // Moves the focus to the heading if the focused element was removed.
    if (wasInside && document.activeElement === document.body) this.#main.querySelector(".now h1")?.focus();
  };
}

function storedDraft(slot) {
  const text = slot && tabStorage.get(`draft ${slot}`);
  return text ? JSON.parse(text) : null;
}
