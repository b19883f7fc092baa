// Answers on their way: written here first, sent second, taken out only when the server has said what became of them.

import { Problem } from "./api.js";

const STORE = "answers";
const PAUSE_MS = { least: 500, most: 10_000 };

export class Outbox {
  #caller; #changed;
  #db = null;
  #memory = new Map();
  #failures = 0;
  #sending = false;
  #timer = 0;

  // changed(entry, outcome): outcome is the stored response, a Problem that is final, or null while it waits.
  constructor(caller, changed) {
    this.#caller = caller;
    this.#changed = changed;
    addEventListener("online", () => this.flush());
    addEventListener("pageshow", () => this.flush());
    document.addEventListener("visibilitychange", () => document.hidden || this.flush());
  }

  // Whether answers outlive this page; private windows may offer no storage.
  get isKept() {
    return this.#db !== null;
  }

  async open(name) {
    this.#db = await opened(`conflicto.${name}`).catch(() => null);
    for (const entry of this.#db ? await this.#ask("readonly", (store) => store.getAll()) : []) this.#memory.set(entry.key, entry);
    for (const entry of this.entries) this.#changed(entry, null);
    this.flush();
  }

  get entries() {
    return [...this.#memory.values()].sort((a, b) => a.at - b.at);
  }

  // An answer to the same thing that still waits makes room: the newest is meant.
  async put(entry) {
    for (const other of this.entries) if (entry.slot && other.slot === entry.slot && !other.sent) await this.#drop(other.key);
    this.#memory.set(entry.key, entry);
    if (this.#db) await this.#ask("readwrite", (store) => store.put(entry)).catch(() => {});
    this.#changed(entry, null);
    this.flush();
  }

  async flush() {
    clearTimeout(this.#timer);
    if (this.#sending) return;
    this.#sending = true;
    try {
      for (let entry = this.entries[0]; entry; entry = this.entries[0]) await this.#deliver(entry);
      this.#failures = 0;
    } catch {
      this.#failures += 1;
      const longest = Math.min(PAUSE_MS.most, PAUSE_MS.least * 2 ** this.#failures);
      this.#timer = setTimeout(() => this.flush(), longest * (0.5 + Math.random() / 2));
    } finally {
      this.#sending = false;
    }
  }

  async #deliver(entry) {
    entry.sent = true;
    let outcome;
    try {
      outcome = await this.#caller.send(entry.method ?? "POST", entry.path, entry.body, { key: entry.key });
    } catch (error) {
      if (!(error instanceof Problem) || error.passes) throw error;
      outcome = error;
    }
    await this.#drop(entry.key);
    this.#changed(entry, outcome ?? {});
  }

  async #drop(key) {
    this.#memory.delete(key);
    if (this.#db) await this.#ask("readwrite", (store) => store.delete(key)).catch(() => {});
  }

  #ask(mode, what) {
    return promised(what(this.#db.transaction(STORE, mode).objectStore(STORE)));
  }
}

function opened(name) {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "key" });
  return promised(request);
}

const promised = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
