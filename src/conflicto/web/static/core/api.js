// Requests to the API, the tokens they carry, and what is said when one is refused.

import { t } from "./words.js";

const TIMEOUT_MS = 10_000;

export class Problem extends Error {
  constructor(status, body, retryAfter = "") {
    super(body.code ?? `http-${status}`);
    this.status = status;
    this.code = body.code ?? `http-${status}`;
    this.body = body;
    this.retryAfterS = this.passes ? body.retry_after_s ?? (Number.parseInt(retryAfter, 10) || 0) : 0;
  }

  // Whether the same request may succeed later, as it is.
  get passes() {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }

  get text() {
    const known = t(`problem.${this.code}`, { n: this.body.retry_after_s });
    if (!known.startsWith("problem.")) return known;
    const errors = (this.body.errors ?? []).map((each) => `${each.pointer}: ${each.message}`);
    return [this.body.title ?? t("problem.unknown"), ...errors].join(" · ");
  }
}

// Tokens stay in this browser: they are handed over in a link's fragment, which is never sent, and never stand in a query.
export const tokens = {
  get: (name) => localStorage.getItem(`conflicto.${name}`),
  set: (name, token) => localStorage.setItem(`conflicto.${name}`, token),
  drop: (name) => localStorage.removeItem(`conflicto.${name}`),
  names: () => Object.keys(localStorage).filter((key) => key.startsWith("conflicto.")).map((key) => key.slice(10)),
};

// An id made here; the one that browsers offer is missing where a page came over plain http.
export function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const time = {
  ahead: 0,
  now: () => Date.now() + time.ahead,
  learn: (said) => said && (time.ahead = Date.parse(said) - Date.now()),
};

// One who calls with one token: the one under the first of `names` that this browser holds.
export class Caller {
  constructor(...names) {
    this.name = names.find((name) => tokens.get(name)) ?? names[0];
  }

  get token() {
    return tokens.get(this.name);
  }

  headers(more = {}) {
    return this.token ? { Authorization: `Bearer ${this.token}`, ...more } : more;
  }

  get = (path, options = {}) => this.send("GET", path, undefined, options);
  post = (path, body = {}, options = {}) => this.send("POST", path, body, options);
  patch = (path, body) => this.send("PATCH", path, body);
  put = (path, body) => this.send("PUT", path, body);
  delete = (path) => this.send("DELETE", path);

  async send(method, path, body, { key, headers = {}, signal } = {}) {
    const told = this.headers({ ...headers });
    if (body !== undefined) told["Content-Type"] = "application/json";
    if (key) told["Idempotency-Key"] = key;
    const answer = await attempt(`/api/v1${path}`, { method, headers: told, body: body && JSON.stringify(body), cache: "no-store", signal });
    this.renew(answer);
    if (answer.status === 204 || answer.status === 304) return null;
    const given = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Problem(answer.status, given, answer.headers.get("Retry-After"));
    Object.defineProperty(given, "tag", { value: answer.headers.get("ETag") });
    return given;
  }

  renew(answer) {
    const fresh = answer.headers.get("Renewed-Token");
    if (fresh) tokens.set(this.name, fresh);
  }
}

async function attempt(address, options) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), TIMEOUT_MS);
  options.signal?.addEventListener("abort", () => stop.abort());
  try {
    return await fetch(address, { ...options, signal: stop.signal });
  } catch {
    throw new Problem(0, { code: "offline" });
  } finally {
    clearTimeout(timer);
  }
}
