// The outbox of responses: stores each before sending it, and removes it only after the server's own response.

import { Problem } from "./api.js";
import { openTabChannel } from "./tabs.js";

const STORE = "answers";
const PAUSE_MS = { min: 500, max: 10_000 };
const BLOCKED_MS = 60_000; // the page then shows the problem

export class Outbox {
  #client;
  #onChange;
  #broadcast;
  #db = null;
  #isFull = false;
  #memory = new Map();
  #foreignSince = new Map(); // time of the first foreign response, by key
  #failures = 0;
  #sending = false;
  #isRequested = false;
  #timer = 0;
  blocked = new Map(); // problems that last for a minute, by key

  // onChange(entry, outcome): the outcome is the stored response, a final Problem, or null while it waits.
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

  async open(name) {
    this.#broadcast = openTabChannel(`conflicto.${name}`, (message) => this.#receive(message));
    this.#db = await openDatabase(`conflicto.${name}`).catch(() => null);
    for (const entry of this.#db ? await this.#query("readonly", (store) => store.getAll()) : []) this.#markSent(entry);
    for (const entry of this.entries) this.#onChange(entry, null);
    this.flush();
  }

  get entries() {
    return [...this.#memory.values()].sort((a, b) => a.at - b.at);
  }

  async put(entry) {
    await this.#supersede(entry);
    if (this.#db) await this.#query("readwrite", (store) => store.put(entry)).catch(() => (this.#isFull = true));
    this.#broadcast({ put: entry });
    this.#onChange(entry, null);
    this.flush();
  }

  // Replaces waiting entries of the same slot. An entry that may have reached the server stays and is sent first, so that
  // the newest arrives last.
  async #supersede(entry) {
    this.#memory.set(entry.key, entry);
    const isOver = ({ key, slot, sent }) =>
      key !== entry.key && slot === entry.slot && (!sent || this.#foreignSince.has(key));
    for (const other of entry.slot ? this.entries.filter(isOver) : []) await this.#drop(other.key);
  }

  // Another tab may have sent its entry already.
  #markSent(entry) {
    this.#memory.set(entry.key, Object.assign(entry, { sent: true }));
    return entry;
  }

  async #receive({ put, drop, outcome, status, body }) {
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

  #trackBlocked(entry, error) {
    const { key } = entry;
    if (error.code !== "foreign") this.#foreignSince.delete(key);
    else if (!this.#foreignSince.has(key)) this.#foreignSince.set(key, Date.now());
    const isBlocked = Date.now() - this.#foreignSince.get(key) >= BLOCKED_MS;
    if (isBlocked) this.blocked.set(key, error);
    else this.blocked.delete(key);
    if (isBlocked) this.#onChange(entry, null);
    return error;
  }

  async #drop(key) {
    for (const each of [this.#memory, this.#foreignSince, this.blocked]) each.delete(key);
    if (this.#db) await this.#query("readwrite", (store) => store.delete(key)).catch(() => {});
  }

  #query(mode, operation) {
    return toPromise(operation(this.#db.transaction(STORE, mode).objectStore(STORE)));
  }
}

// Also rejects where even the name `indexedDB` throws.
async function openDatabase(name) {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "key" });
  return await toPromise(request);
}

const toPromise = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
