// The heartbeat of a framed view: the page pings, and a view that spins does not answer.
//
// Engines without a process for the frame run it on the page's thread, so a view that spins stops this timer too. A
// mark in the tab's storage outlives such a page: after its reload the view does not start by itself. Marks are of one
// address, because a page that another one opens begins with a copy of its storage.

import { tabStorage } from "../core/storage.js";

const INTERVAL_MS = 2_000;
const MAX_MISSED = 3;
const PAGE = String(performance.timeOrigin);

export class Heartbeat {
  #n = 0;
  #answered = 0;
  #missed = 0;
  #last = performance.now();
  #timer;
  #mark;
  #ping;
  #onsilence;

  /**
   * @param {string} name of the view
   * @param {(n: number) => void} ping
   * @param {() => void} onsilence
   */
  constructor(name, ping, onsilence) {
    this.#mark = markOf(name);
    this.#ping = ping;
    this.#onsilence = onsilence;
    this.#timer = setInterval(() => this.#beat(), INTERVAL_MS);
    addEventListener("pagehide", this.#unmark);
    document.addEventListener("visibilitychange", this.#unmark);
    tabStorage.set(this.#mark, PAGE);
  }

  /** @param {number} n */
  answer(n) {
    this.#answered = n;
    this.#missed = 0;
  }

  end() {
    clearInterval(this.#timer);
    removeEventListener("pagehide", this.#unmark);
    document.removeEventListener("visibilitychange", this.#unmark);
    tabStorage.remove(this.#mark);
  }

  // A page that was itself late, or is hidden, proves nothing about the view.
  #beat() {
    const now = performance.now();
    const isLate = now - this.#last > INTERVAL_MS * 1.5;
    this.#last = now;
    if (document.hidden) return;
    tabStorage.set(this.#mark, PAGE);
    if (this.#answered < this.#n && !isLate) this.#missed += 1;
    if (this.#missed >= MAX_MISSED) return this.#onsilence();
    this.#ping((this.#n += 1));
  }

  #unmark = () => tabStorage.remove(this.#mark);
}

/** @param {string} name */
const markOf = (name) => `view ${name} ${location.pathname}`;

const isReload = () =>
  performance.getEntriesByType("navigation").some((each) => "type" in each && each.type === "reload");

/**
 * Returns whether an earlier page of this tab ended while the view held its thread. The next try is allowed.
 *
 * @param {string} name
 */
export function hasStoppedPage(name) {
  const marked = tabStorage.get(markOf(name));
  if (marked === null || marked === PAGE || !isReload()) return false;
  tabStorage.remove(markOf(name));
  return true;
}
