// Follows the feed of a session: a stream while that works, else held-back polls, else plain ones. It never gives up, and holds no
// connection while nobody looks.

import { Problem, refusal } from "./api.js";
import { isOutdated } from "./build.js";

const FIRST_MS = 10_000; // a stream that says nothing until then is held up by something on the way
const SILENT_MS = 20_000; // the server says something every 8 s
const HELD_MS = 40_000; // a poll that is held back for 20 s
const SPREAD_MS = 5_000; // those whose streams fell silent together do not come back together
const BLOCKED_MS = 60_000; // after so long people are told what is in the way
const HIDDEN_MS = 5_000;
const PAUSE_MS = { least: 500, most: 10_000 };
const QUICK_ENDS = 3; // after so many streams that ended at once, polls take over for a while
const BUILD_MS = 15_000; // between two polls a server may be replaced unnoticed; a stream ends with it

const CURSOR = /^id: \d{16}$/m;

export class Follow {
  #caller; #session; #cursor; #apply; #connected; #gone; #outdated; #forget;
  #stop = null;
  #failures = 0;
  #quickEnds = 0;
  #polls = 0;
  #hiding = 0;
  #over = false;
  #released = false;
  #mayBeOld = false; // connected anew, or long not asked: perhaps the server has another build
  #asked = Date.now();
  #isBegun = false; // the stream has said something that only the server says
  #silent = false;
  #pollsBeforeStream = 20; // twice as many each time that no stream begins
  #foreign = 0; // since when something else answers in place of the server
  #stale = 0; // polls that came back at once with nothing: a cache answered, so each asks for another address

  // apply(items): the newest changes; connected(true | false, problem): the problem where something else has answered for a minute;
  // gone(problem): by the server's own word the session or the token is no more, and true goes on asking; outdated(): the server has a
  // newer page than this one; forget(): what was told may have been taken back, and the page begins anew.
  constructor(caller, session, { since = "0", apply, connected = () => {}, gone = () => {}, outdated = () => {}, forget = () => {} }) {
    this.#caller = caller;
    this.#session = session;
    this.#cursor = since;
    this.#apply = apply;
    this.#connected = connected;
    this.#gone = gone;
    this.#outdated = outdated;
    this.#forget = forget;
  }

  start() {
    document.addEventListener("visibilitychange", this.#seen);
    addEventListener("pageshow", this.#again);
    addEventListener("online", this.#again);
    this.#run();
  }

  end() {
    this.#over = true;
    this.#release();
    document.removeEventListener("visibilitychange", this.#seen);
    removeEventListener("pageshow", this.#again);
    removeEventListener("online", this.#again);
  }

  // Let go of what is open; that is no failure.
  #release() {
    this.#released = true;
    this.#stop?.abort();
  }

  #again = () => {
    this.#failures = 0;
    this.#mayBeOld = true;
    this.#release();
  };

  #seen = () => {
    clearTimeout(this.#hiding);
    if (document.hidden) this.#hiding = setTimeout(() => this.#release(), HIDDEN_MS);
    else this.#again();
  };

  async #run() {
    while (!this.#over) {
      if (document.hidden) await shown();
      if (this.#over) return;
      this.#stop = new AbortController();
      this.#released = false;
      try {
        if (!(await (this.#quickEnds < QUICK_ENDS ? this.#stream() : this.#poll()))) return;
      } catch (error) {
        if (this.#released) continue;
        if (error instanceof Problem && !error.passes) {
          if (error.code === "cursor-expired") return this.#forget(), location.reload(); // the outbox outlives the page
          if (!this.#gone(error)) return;
        }
        this.#failed(error);
      }
      if (this.#failures) await this.#pause();
    }
  }

  // A stream that never begins gives way to polls; one that falls silent is opened anew in a moment.
  #failed(error) {
    this.#silent = error.body?.isSilent && this.#isBegun;
    if (error.body?.isSilent && !this.#isBegun && this.#quickEnds < QUICK_ENDS) {
      this.#quickEnds = QUICK_ENDS;
      this.#pollsBeforeStream *= 2;
    }
    if (error.code === "foreign") this.#foreign ||= Date.now();
    else this.#foreign = 0;
    this.#failures += 1;
    this.#mayBeOld = true;
    this.#quickEnds += 1;
    this.#connected(false, this.#foreign && Date.now() - this.#foreign >= BLOCKED_MS ? error : null);
  }

  async #pause() {
    const longest = Math.min(PAUSE_MS.most, PAUSE_MS.least * 2 ** this.#failures);
    this.#stop = new AbortController();
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#silent ? SPREAD_MS * Math.random() : longest * (0.5 + Math.random() / 2));
      this.#stop.signal.addEventListener("abort", () => (clearTimeout(timer), resolve()));
    });
  }

  async #stream() {
    const began = Date.now();
    this.#isBegun = false;
    const answer = await this.#open(`events?since=${this.#cursor}`, { Accept: "text/event-stream", "Last-Event-ID": this.#cursor });
    if (answer.status === 204) {
      this.#quickEnds = QUICK_ENDS; // anybody can say nothing; a page of the feed says that it is the last one
      return true;
    }
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await this.#within(reader.read(), this.#isBegun ? SILENT_MS : FIRST_MS);
      if (done) break;
      const events = (rest + value).split("\n\n");
      rest = events.pop();
      this.#isBegun ||= events.some((event) => CURSOR.test(event));
      if (this.#isBegun) this.#told(events.map((event) => this.#read(event)).filter(Boolean));
    }
    if (!this.#isBegun) throw new Problem(answer.status, { code: "foreign" });
    this.#mayBeOld = true;
    this.#quickEnds = Date.now() - began < FIRST_MS ? this.#quickEnds + 1 : 0;
    return true;
  }

  #read(event) {
    const fields = Object.fromEntries(event.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
    if (fields.id) this.#cursor = fields.id;
    return fields.event === "change" && JSON.parse(fields.data);
  }

  async #poll() {
    // After a failure at once: a held-back answer would leave the page offline for as long as nothing happens.
    const began = Date.now();
    const answer = await this.#open(`changes/since/${this.#cursor}?limit=${1000 - this.#stale}`, this.#failures ? {} : { Prefer: "wait=20" });
    const page = Object(await this.#within(answer.json().catch(() => null), HELD_MS));
    if (!CURSOR.test(`id: ${page.cursor}`) || !Array.isArray(page.items)) throw new Problem(answer.status, { code: "foreign" });
    this.#cursor = page.cursor;
    this.#mayBeOld ||= Date.now() - this.#asked > BUILD_MS;
    this.#told(page.items);
    if (page.closed && !page.has_more) return false;
    this.#polls += 1;
    if (this.#polls % this.#pollsBeforeStream === 0) this.#quickEnds = 0;
    const isCached = answer.headers.has("Preference-Applied") && !page.items.length && Date.now() - began < 1_000;
    if (isCached) this.#stale = (this.#stale + 1) % 500;
    if (isCached || (!answer.headers.has("Preference-Applied") && !page.has_more)) {
      await new Promise((resolve) => setTimeout(resolve, Number(answer.headers.get("Poll-After") ?? 2_000)));
    }
    return true;
  }

  async #open(path, headers) {
    const request = fetch(`~/api/v1/sessions/${this.#session}/${path}`, {
      headers: this.#caller.headers(headers), cache: "no-store", signal: this.#stop.signal,
    });
    const answer = await this.#within(request, headers.Prefer ? HELD_MS : FIRST_MS);
    this.#caller.renew(answer);
    if (!answer.ok) throw refusal(answer.status, Object(await answer.json().catch(() => null)), this.#caller.token);
    return answer;
  }

  #told(items) {
    this.#failures = this.#foreign = 0;
    this.#connected(true);
    this.#apply(items);
    if (this.#mayBeOld) this.#askForBuild();
  }

  #askForBuild() {
    this.#mayBeOld = false;
    this.#asked = Date.now();
    isOutdated().then((is) => is && this.#outdated(), () => (this.#mayBeOld = true));
  }

  // A connection that slept with its phone reports neither end nor error, so silence ends it.
  async #within(promise, ms) {
    let timer;
    const silence = new Promise((_, reject) => {
      timer = setTimeout(() => (reject(new Problem(0, { code: "offline", isSilent: true })), this.#stop.abort()), ms);
    });
    try {
      return await Promise.race([promise, silence]);
    } finally {
      clearTimeout(timer);
    }
  }
}

const shown = () =>
  new Promise((resolve) => document.addEventListener("visibilitychange", function seen() {
    if (!document.hidden) resolve(document.removeEventListener("visibilitychange", seen));
  }));

// The newest of everything by entity and id, as the feed's first rule says.
export class Fold {
  constructor() {
    this.of = { session: new Map(), activity: new Map(), participant: new Map(), response: new Map() };
  }

  take(items) {
    for (const item of items) {
      const known = this.of[item.entity];
      if (!known || (known.get(item.id)?.revision ?? 0) > item.revision) continue;
      known.set(item.id, item);
    }
  }

  alive(entity) {
    return [...this.of[entity].values()].map((item) => item.data).filter(Boolean);
  }

  get session() {
    return this.alive("session")[0] ?? null;
  }

  get activities() {
    return this.alive("activity").sort((a, b) => a.order_index - b.order_index || (a.created_at < b.created_at ? -1 : 1));
  }
}
