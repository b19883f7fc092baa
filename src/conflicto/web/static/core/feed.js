// Follows the feed of a session by stream, else by long-polling, else by polling. It never gives up, and has no
// connection while the page is hidden.

import { Problem, toProblem } from "./api.js";
import { isOutdated } from "./build.js";

/** @import { Client } from "./api.js" */
/** @import { Change, Entities } from "../shapes.js" */

const START_MS = 10_000; // a stream without an event until then is buffered by a proxy
const SILENCE_MS = 20_000; // the server sends an event every 8 s
const LONG_POLL_MS = 40_000; // the server answers after 20 s at the latest
const JITTER_MS = 5_000; // spreads the reconnects of many clients
const BLOCKED_MS = 60_000; // after so long people are told what is in the way
const HIDDEN_MS = 5_000;
const PAUSE_MS = { min: 500, max: 10_000 };
const MAX_SHORT_STREAMS = 3; // polls replace streams for a while after this number
const BUILD_CHECK_MS = 15_000; // a server may be replaced between two polls; a stream would end

/**
 * Fetches the data of types that a host installed for this session. Most sessions have none.
 *
 * @param {any[]} found activities, and anything else
 */
export async function learnTypes(found) {
  if (!found.some((each) => each?.type_version?.startsWith("x"))) return;
  const module = await import("./session_types.js").catch(() => null);
  await module?.learnTypes(found);
}

const CURSOR = /^id: \d{16}$/m;

export class FeedFollower {
  #client;
  #session;
  #cursor;
  #apply;
  #connected;
  #gone;
  #outdated;
  #forget;
  /** @type {AbortController} */
  #stop = new AbortController();
  #failures = 0;
  #shortStreams = 0;
  #polls = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #hideTimer;
  #isEnded = false;
  #isAborted = false;
  #mayBeOutdated = false; // after a reconnect or a long pause
  #checkedAt = Date.now();
  #hasStarted = false; // the stream has sent an event of the server
  #isSilentStream = false;
  #pollsBeforeStream = 20; // doubled each time that no stream starts
  #foreignSince = 0; // time of the first foreign response
  #cachedPolls = 0; // empty polls that returned at once, from a cache: each changes the address

  /**
   * @param {Client} client
   * @param {string | number} session
   * @param {object} options
   * @param {string} [options.since] the cursor to begin at
   * @param {(items: Change[]) => void} options.apply receives the newest changes
   * @param {(isConnected: boolean, problem?: Problem | null) => void} [options.connected] the problem of foreign responses for a minute
   * @param {(problem: Problem) => unknown} [options.gone] the server refused the session or the token; true continues
   * @param {() => void} [options.outdated] the server has a newer build
   * @param {() => void} [options.forget] a restore may have removed changes, and the page reloads
   */
  constructor(
    client,
    session,
    { since = "0", apply, connected = () => {}, gone = () => {}, outdated = () => {}, forget = () => {} },
  ) {
    this.#client = client;
    this.#session = session;
    this.#cursor = since;
    this.#apply = apply;
    this.#connected = connected;
    this.#gone = gone;
    this.#outdated = outdated;
    this.#forget = forget;
  }

  start() {
    document.addEventListener("visibilitychange", this.#visibilityChanged);
    addEventListener("pageshow", this.#reconnect);
    addEventListener("online", this.#reconnect);
    void this.#run();
  }

  end() {
    this.#isEnded = true;
    this.#abortRequest();
    document.removeEventListener("visibilitychange", this.#visibilityChanged);
    removeEventListener("pageshow", this.#reconnect);
    removeEventListener("online", this.#reconnect);
  }

  // Aborts the open request, which is no failure.
  #abortRequest() {
    this.#isAborted = true;
    this.#stop.abort();
  }

  #reconnect = () => {
    this.#failures = 0;
    this.#mayBeOutdated = true;
    this.#abortRequest();
  };

  #visibilityChanged = () => {
    clearTimeout(this.#hideTimer);
    if (document.hidden) this.#hideTimer = setTimeout(() => this.#abortRequest(), HIDDEN_MS);
    else this.#reconnect();
  };

  async #run() {
    while (!this.#isEnded) {
      if (document.hidden) await whenVisible();
      if (this.#isEnded) return;
      this.#stop = new AbortController();
      this.#isAborted = false;
      try {
        if (!(await (this.#shortStreams < MAX_SHORT_STREAMS ? this.#stream() : this.#poll()))) return;
      } catch (error) {
        if (this.#isAborted) continue;
        if (error instanceof Problem && !error.isTransient) {
          if (error.code === "cursor-expired") {
            this.#forget();
            return location.reload(); // the outbox outlives the page
          }
          if (!this.#gone(error)) return;
        }
        this.#failed(error instanceof Problem ? error : new Problem(0, {}));
      }
      if (this.#failures) await this.#pause();
    }
  }

  /**
   * Replaces a stream that never starts by polls. A stream that falls silent is opened again.
   *
   * @param {Problem} error
   */
  #failed(error) {
    this.#isSilentStream = error.body.isSilent && this.#hasStarted;
    if (error.body.isSilent && !this.#hasStarted && this.#shortStreams < MAX_SHORT_STREAMS) {
      this.#shortStreams = MAX_SHORT_STREAMS;
      this.#pollsBeforeStream *= 2;
    }
    if (error.code === "foreign") this.#foreignSince ||= Date.now();
    else this.#foreignSince = 0;
    this.#failures += 1;
    this.#mayBeOutdated = true;
    this.#shortStreams += 1;
    this.#connected(false, this.#foreignSince && Date.now() - this.#foreignSince >= BLOCKED_MS ? error : null);
  }

  async #pause() {
    const maxPause = Math.min(PAUSE_MS.max, PAUSE_MS.min * 2 ** this.#failures);
    this.#stop = new AbortController();
    /** @type {Promise<void>} */
    const pause = new Promise((resolve) => {
      const timer = setTimeout(
        resolve,
        this.#isSilentStream ? JITTER_MS * Math.random() : maxPause * (0.5 + Math.random() / 2),
      );
      this.#stop.signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    });
    await pause;
  }

  async #stream() {
    const began = Date.now();
    this.#hasStarted = false;
    const response = await this.#open(`events?since=${this.#cursor}`, {
      Accept: "text/event-stream",
      "Last-Event-ID": this.#cursor,
    });
    if (response.status === 204) {
      this.#shortStreams = MAX_SHORT_STREAMS; // a proxy can send 204 too: the last page of the feed confirms the end
      return true;
    }
    const body = /** @type {ReadableStream<BufferSource>} */ (response.body);
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let remainder = "";
    for (;;) {
      /** @type {ReadableStreamReadResult<string>} */
      const { value, done } = await this.#withTimeout(reader.read(), this.#hasStarted ? SILENCE_MS : START_MS);
      if (done) break;
      /** @type {string[]} */
      const events = (remainder + value).split("\n\n");
      remainder = events.pop() ?? "";
      this.#hasStarted ||= events.some((event) => CURSOR.test(event));
      if (this.#hasStarted) await this.#deliver(events.map((event) => this.#read(event)).filter(Boolean));
    }
    if (!this.#hasStarted) throw new Problem(response.status, { code: "foreign" });
    this.#mayBeOutdated = true;
    this.#shortStreams = Date.now() - began < START_MS ? this.#shortStreams + 1 : 0;
    return true;
  }

  /**
   * Returns the change of an event, false for other events.
   *
   * @param {string} event
   */
  #read(event) {
    const fields = Object.fromEntries(
      event.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
    );
    if (fields.id) this.#cursor = fields.id;
    return fields.event === "change" && JSON.parse(fields.data);
  }

  async #poll() {
    // Polls at once after a failure: a long poll would leave the page offline until something happens.
    const began = Date.now();
    const response = await this.#open(
      `changes/since/${this.#cursor}?limit=${1000 - this.#cachedPolls}`,
      this.#failures ? {} : { Prefer: "wait=20" },
    );
    const page = Object(
      await this.#withTimeout(
        response.json().catch(() => null),
        LONG_POLL_MS,
      ),
    );
    if (!CURSOR.test(`id: ${page.cursor}`) || !Array.isArray(page.items))
      throw new Problem(response.status, { code: "foreign" });
    this.#cursor = page.cursor;
    this.#mayBeOutdated ||= Date.now() - this.#checkedAt > BUILD_CHECK_MS;
    await this.#deliver(page.items);
    if (page.closed && !page.has_more) return false;
    this.#polls += 1;
    if (this.#polls >= this.#pollsBeforeStream) {
      this.#polls = 0;
      this.#shortStreams = 0;
    }
    const isCached = response.headers.has("Preference-Applied") && !page.items.length && Date.now() - began < 1_000;
    if (isCached) this.#cachedPolls = (this.#cachedPolls + 1) % 500;
    if (isCached || (!response.headers.has("Preference-Applied") && !page.has_more)) {
      await new Promise((resolve) => setTimeout(resolve, Number(response.headers.get("Poll-After") ?? 2_000)));
    }
    return true;
  }

  /**
   * @param {string} path below the session's
   * @param {Record<string, string>} headers
   */
  async #open(path, headers) {
    const request = fetch(`~/api/v1/sessions/${this.#session}/${path}`, {
      headers: this.#client.headers(headers),
      cache: "no-store",
      signal: this.#stop.signal,
    });
    const response = await this.#withTimeout(request, headers.Prefer ? LONG_POLL_MS : START_MS);
    this.#client.renew(response);
    if (!response.ok)
      throw toProblem(response.status, Object(await response.json().catch(() => null)), this.#client.token);
    return response;
  }

  /** @param {Change[]} items */
  async #deliver(items) {
    this.#failures = 0;
    this.#foreignSince = 0;
    this.#connected(true);
    await learnTypes(items.map(({ data }) => data));
    this.#apply(items);
    if (this.#mayBeOutdated) this.#checkBuild();
  }

  #checkBuild() {
    this.#mayBeOutdated = false;
    this.#checkedAt = Date.now();
    isOutdated().then(
      (is) => is && this.#outdated(),
      () => (this.#mayBeOutdated = true),
    );
  }

  /**
   * Ends a connection that stays silent. That of a phone that slept reports neither end nor error.
   *
   * @template T
   * @param {Promise<T>} promise
   * @param {number} ms
   * @returns {Promise<T>}
   */
  async #withTimeout(promise, ms) {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    /** @type {Promise<never>} */
    const silence = new Promise((_, reject) => {
      timer = setTimeout(() => {
        reject(new Problem(0, { code: "offline", isSilent: true }));
        this.#stop.abort();
      }, ms);
    });
    try {
      return await Promise.race([promise, silence]);
    } finally {
      clearTimeout(timer);
    }
  }
}

const whenVisible = () =>
  new Promise((/** @type {(value: void) => void} */ resolve) =>
    document.addEventListener("visibilitychange", function seen() {
      if (!document.hidden) resolve(document.removeEventListener("visibilitychange", seen));
    }),
  );

/**
 * @template {keyof Entities} Entity
 * @typedef {Extract<Change, { entity: Entity }>} ChangeOf
 */

// The newest revision of every object, by entity and id.
export class Fold {
  constructor() {
    /** @type {{ [Entity in keyof Entities]: Map<string | number, ChangeOf<Entity>> }} */
    this.entities = { session: new Map(), activity: new Map(), participant: new Map(), response: new Map() };
  }

  /** @param {Change[]} items */
  apply(items) {
    for (const item of items) {
      /** @type {Map<string | number, Change> | undefined} */
      const known = this.entities[item.entity];
      if (!known || (known.get(item.id)?.revision ?? 0) > item.revision) continue;
      known.set(item.id, item);
    }
  }

  /**
   * Returns the objects of an entity that exist.
   *
   * @template {keyof Entities} Entity
   * @param {Entity} entity
   * @returns {Entities[Entity][]}
   */
  all(entity) {
    return /** @type {any[]} */ ([...this.entities[entity].values()].map((item) => item.data).filter(Boolean));
  }

  get session() {
    return this.all("session")[0] ?? null;
  }

  get activities() {
    return this.all("activity").sort((a, b) => a.order_index - b.order_index || (a.created_at < b.created_at ? -1 : 1));
  }
}
