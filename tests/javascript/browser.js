// The parts of a browser that modules need, as globals of Node.js. Nothing here knows a module's inside.

import { registerHooks } from "node:module";
import { mock } from "node:test";

const STATIC = new URL("../../src/conflicto/web/static/", import.meta.url);

// Modules that one test loads share its query, so that each test has fresh ones.
registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    const test = context.parentURL?.startsWith(STATIC.href) ? new URL(context.parentURL).search : "";
    return test ? { ...found, url: found.url + test } : found;
  },
});

let loads = 0;

// Loads a module of the pages in a new browser. `boot` replaces parts of the data in the page's HTML.
export async function load(path, boot = {}) {
  const page = { locale: "en", texts: {}, types: {}, server: "server-1", base: "~/s/1", image_origins: [], ...boot };
  const document = Object.assign(new EventTarget(), {
    hidden: false,
    createElement: () => ({ getContext: () => ({ measureText: (text) => ({ width: text.length }) }) }), // a canvas
    getElementById: (id) => (id === "boot" ? { textContent: JSON.stringify(page) } : null),
  });
  const window = new EventTarget();
  const values = {
    document,
    localStorage: memoryStorage(),
    sessionStorage: memoryStorage(),
    BroadcastChannel: tabChannels(),
  };
  for (const [name, value] of Object.entries(values))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  for (const name of ["addEventListener", "removeEventListener", "dispatchEvent"])
    globalThis[name] = window[name].bind(window);
  loads += 1;
  return await import(new URL(`${path}?test=${loads}`, STATIC));
}

// Loads another module into the browser of the last `load`.
export const loadBeside = (path) => import(new URL(`${path}?test=${loads}`, STATIC));

export const emit = (name, target = globalThis) => target.dispatchEvent(new Event(name));

export function setHidden(isHidden) {
  document.hidden = isHidden;
  emit("visibilitychange", document);
}

function memoryStorage() {
  const items = new Map();
  return {
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, text) => items.set(name, String(text)),
    removeItem: (name) => items.delete(name),
  };
}

// Returns a class of channels, which the tabs of one browser share.
function tabChannels() {
  const channels = [];
  return class {
    constructor(name) {
      this.name = name;
      channels.push(this);
    }

    postMessage(message) {
      const data = structuredClone(message);
      for (const each of channels) if (each !== this && each.name === this.name) each.onmessage?.({ data });
    }
  };
}

// Replaces `fetch`. `reply(request, count)` returns a response, a promise or an error. Returns the list of requests.
export function answerWith(reply) {
  const requests = [];
  globalThis.fetch = (address, options = {}) => {
    const { method = "GET", headers = {}, body, signal } = options;
    const request = { address, method, headers, body: body && JSON.parse(body) };
    requests.push(request);
    return new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => {
        request.isAborted = true;
        reject(new DOMException("aborted", "AbortError"));
      });
      Promise.resolve(reply(request, requests.length)).then((made) => {
        signal?.addEventListener("abort", () => made.abort?.());
        if (made instanceof Error) reject(made);
        else resolve(made);
      }, reject);
    });
  };
  return requests;
}

export const json = (body, status = 200, headers = {}) => new Response(JSON.stringify(body), { status, headers });

// A problem document of the server itself.
export const problem = (status, code, more = {}) => json({ code, status, server: "server-1", ...more }, status);

// A promise that never settles: a server that stays silent.
export const silence = () => new Promise(() => {});

// A stream of server-sent events that a test writes: `send(text)` and `close()`.
export function eventStream() {
  let controller;
  const body = new ReadableStream({
    start(made) {
      controller = made;
    },
  });
  const encoder = new TextEncoder();
  const response = new Response(body, { headers: { "Content-Type": "text/event-stream" } });
  response.abort = () => controller.error(new DOMException("aborted", "AbortError"));
  return {
    response,
    send: (text) => controller.enqueue(encoder.encode(text)),
    close: () => controller.close(),
  };
}

// Replaces timers, clock and randomness. `random` is what `Math.random` returns.
export function fakeTime(random = 0) {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
  mock.method(Math, "random", () => random);
}

export function realTime() {
  mock.timers.reset();
  mock.restoreAll();
}

// Lets everything run that waits for no timer.
export async function settle() {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

// Advances the time by steps, as long waits consist of several timers.
export async function advance(ms, step = ms) {
  for (let left = ms; left > 0; left -= step) {
    mock.timers.tick(Math.min(step, left));
    await settle();
  }
}

// Replaces IndexedDB by one database in memory, which outlives the page.
export function fakeDatabase(rows = new Map(), { isFull = false, isClosed = false } = {}) {
  const request = (operation) => {
    const made = {};
    setImmediate(() => {
      try {
        made.result = operation();
        made.onsuccess?.();
      } catch (error) {
        made.error = error;
        made.onerror?.();
      }
    });
    return made;
  };
  const store = {
    getAll: () => request(() => [...rows.values()].map((row) => structuredClone(row))),
    put: (row) =>
      request(() => {
        if (isFull) throw new DOMException("full", "QuotaExceededError");
        rows.set(row.key, structuredClone(row));
      }),
    delete: (key) => request(() => rows.delete(key)),
  };
  const database = {
    transaction() {
      if (isClosed) throw new DOMException("closing", "InvalidStateError");
      return { objectStore: () => store };
    },
  };
  globalThis.indexedDB = { open: () => request(() => database) };
  return rows;
}
