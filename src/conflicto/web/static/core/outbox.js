// The outbox of responses: stores each before sending it, and removes it only after the server's own response.

import { Problem } from "./api.js";
import { openTabChannel } from "./tabs.js";

/** @import { Client } from "./api.js" */
/** @import { OutboxEntry, ParticipantResponse, TabMessage } from "../shapes.js" */

const STORE = "answers";
const PAUSE_MS = { min: 500, max: 10_000 };
const BLOCKED_MS = 60_000; // the page then shows the problem

export class Outbox {
  #client;
  #onChange;
  /** @type {(message: TabMessage) => void} */
  #broadcast = () => {};
  /** @type {IDBDatabase | null} */
  #db = null;
  #isFull = false;
  /** @type {Map<string, OutboxEntry>} */
  #memory = new Map();
  /** @type {Map<string, number>} */
  #foreignSince = new Map(); // time of the first foreign response, by key
  #failures = 0;
  #sending = false;
  #isRequested = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {Map<string, Problem>} */
  blocked = new Map(); // problems that last for a minute, by key

  /**
   * @param {Client} client
   * @param {(entry: OutboxEntry, outcome: ParticipantResponse | Problem | null) => void} changed receives the stored
   *   response or a final problem, or null while the entry waits
   */
  constructor(client, changed) {
    this.#client = client;
    this.#onChange = changed;
    addEventListener("online", () => this.flush());
    addEventListener("pageshow", () => this.flush());
    document.addEventListener("visibilitychange", () => document.hidden || this.flush());
  }

  // Returns whether entries outlive this page. Private windows may offer no storage.
  get isPersistent() {
    return this.#db !== null && !this.#isFull;
  }

  /** @param {string} name of the database and the channel */
  async open(name) {
    this.#broadcast = openTabChannel(`conflicto.${name}`, (message) => this.#receive(message));
    this.#db = await openDatabase(`conflicto.${name}`).catch(() => null);
    const stored = await this.#query("readonly", (store) => store.getAll()).catch(() => []);
    for (const entry of stored ?? []) this.#markSent(entry);
    for (const entry of this.entries) this.#onChange(entry, null);
    void this.flush();
  }

  get entries() {
    return [...this.#memory.values()].sort((a, b) => a.at - b.at);
  }

  /** @param {OutboxEntry} entry */
  async put(entry) {
    await this.#supersede(entry);
    if (this.#db) await this.#query("readwrite", (store) => store.put(entry)).catch(() => (this.#isFull = true));
    this.#broadcast({ put: entry });
    this.#onChange(entry, null);
    void this.flush();
  }

  /**
   * Replaces waiting entries of the same slot. An entry that may have reached the server stays and is sent first, so
   * that the newest arrives last.
   *
   * @param {OutboxEntry} entry
   */
  async #supersede(entry) {
    this.#memory.set(entry.key, entry);
    /** @param {OutboxEntry} other */
    const isOver = ({ key, slot, sent }) =>
      key !== entry.key && slot === entry.slot && (!sent || this.#foreignSince.has(key));
    for (const other of entry.slot ? this.entries.filter(isOver) : []) await this.#drop(other.key);
  }

  /**
   * Marks an entry as sent, since another tab may have done so.
   *
   * @param {OutboxEntry} entry
   */
  #markSent(entry) {
    this.#memory.set(entry.key, Object.assign(entry, { sent: true }));
    return entry;
  }

  /** @param {TabMessage} message */
  async #receive({ put, drop = "", outcome, status = 0, body = {} }) {
    const entry = put ?? this.#memory.get(drop);
    if (!entry) return;
    if (put) await this.#supersede(this.#markSent(entry));
    else this.#memory.delete(drop);
    this.#onChange(entry, put ? null : (outcome ?? new Problem(status, body)));
  }

  async flush() {
    clearTimeout(this.#timer);
    this.#isRequested = true;
    if (this.#sending) return;
    this.#sending = true;
    let isFailing;
    while (this.#isRequested) {
      this.#isRequested = false;
      isFailing = await this.#deliverAll();
    }
    this.#sending = false;
    this.#failures = isFailing ? this.#failures + 1 : 0;
    const maxPause = Math.min(PAUSE_MS.max, PAUSE_MS.min * 2 ** this.#failures);
    if (isFailing) this.#timer = setTimeout(() => this.flush(), maxPause * (0.5 + Math.random() / 2));
  }

  // A blocked entry delays only entries of its slot. Returns whether entries are left.
  async #deliverAll() {
    const blockedSlots = new Set();
    for (const entry of this.entries) {
      if (blockedSlots.has(entry.slot) || !this.#memory.has(entry.key)) continue;
      const error = await this.#deliver(entry).catch((each) => each);
      if (!error) continue;
      if (error.code !== "foreign") return true;
      blockedSlots.add(entry.slot ?? entry.key);
    }
    return blockedSlots.size > 0;
  }

  /** @param {OutboxEntry} entry */
  async #deliver(entry) {
    entry.sent = true;
    let outcome;
    try {
      outcome = await this.#client.post(entry.path, entry.body, { key: entry.key, required: ["id", "revision"] });
    } catch (error) {
      if (!(error instanceof Problem) || error.isTransient) throw this.#trackBlocked(entry, error);
      outcome = error;
    }
    await this.#drop(entry.key);
    this.#broadcast(
      outcome instanceof Problem
        ? { drop: entry.key, status: outcome.status, body: outcome.body }
        : { drop: entry.key, outcome },
    );
    this.#onChange(entry, outcome);
  }

  /**
   * @param {OutboxEntry} entry
   * @param {any} error
   */
  #trackBlocked(entry, error) {
    const { key } = entry;
    if (error.code !== "foreign") this.#foreignSince.delete(key);
    else if (!this.#foreignSince.has(key)) this.#foreignSince.set(key, Date.now());
    const isBlocked = Date.now() - (this.#foreignSince.get(key) ?? Infinity) >= BLOCKED_MS;
    if (isBlocked) this.blocked.set(key, error);
    else this.blocked.delete(key);
    if (isBlocked) this.#onChange(entry, null);
    return error;
  }

  /** @param {string} key */
  async #drop(key) {
    for (const each of [this.#memory, this.#foreignSince, this.blocked]) each.delete(key);
    if (this.#db) await this.#query("readwrite", (store) => store.delete(key)).catch(() => {});
  }

  /**
   * @template T
   * @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore) => IDBRequest<T>} operation
   */
  async #query(mode, operation) {
    const store = this.#db?.transaction(STORE, mode).objectStore(STORE);
    return store && (await toPromise(operation(store)));
  }
}

/**
 * Opens the database. Also rejects where even the name `indexedDB` throws.
 *
 * @param {string} name
 */
async function openDatabase(name) {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "key" });
  return await toPromise(request);
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
const toPromise = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the request failed"));
  });
