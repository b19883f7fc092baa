// Requests to the API, the tokens they carry, and what is said when one is refused.

import { store } from "./store.js";
import { boot, t } from "./words.js";

const TIMEOUT_MS = 10_000;

// Each body of the API holds one of these; what a portal or a proxy says instead of it holds none, or is no JSON.
const MEMBERS = ["id", "items", "session_id", "activity_id", "response_id", "participants", "server", "server_time", "role", "type", "seat_token", "matching", "valid"];

export class Problem extends Error {
  constructor(status, body, retryAfter = "") {
    super(body.code ?? `http-${status}`);
    this.status = status;
    this.code = body.code ?? `http-${status}`;
    this.body = body;
    this.retryAfterS = this.passes ? body.retry_after_s ?? (Number.parseInt(retryAfter, 10) || 0) : 0;
  }

  // Whether the server itself said it. What stands between may answer as it likes, and decides nothing.
  get isOurs() {
    return this.body.server === boot.server;
  }

  // Whether the same request may succeed later, as it is.
  get passes() {
    return !this.isOurs || this.status === 408 || this.status === 429 || this.status >= 500;
  }

  get text() {
    const values = { n: this.body.retry_after_s, max: this.body.max };
    const keys = [`problem.${this.code}.${this.body.reason}`, `problem.${this.code}`, "problem.unknown"];
    return keys.map((key) => t(key, values)).find((words) => !words.startsWith("problem."));
  }
}

// Tokens stay in this browser: they are handed over in a link's fragment, which is never sent, and never stand in a query.
export const tokens = {
  areKept: true, // or they are gone with the page
  get: (name) => store.get(`conflicto.${name}`),
  set: (name, token) => (tokens.areKept = store.set(`conflicto.${name}`, token)),
  drop: (name) => store.drop(`conflicto.${name}`),
};

// Whose a token is, by what it says itself; the operator's says nothing.
export function subjectOf(token) {
  const [, claims] = token?.split(".") ?? [];
  return claims ? JSON.parse(atob(claims.replace(/-/g, "+").replace(/_/g, "/"))).sub : "admin";
}

// An address of ours for another page, with the token where this browser would not keep it until then.
export const withToken = (address, name, as) => (tokens.areKept ? address : `${address}#${as}=${tokens.get(name)}`);

// An id made here; the one that browsers offer is missing where a page came over plain http.
export function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const time = {
  ahead: 0,
  now: () => Date.now() + time.ahead,
  // `began`: when it was asked for. Half of the way is taken off.
  learn: (said, began = Date.now()) => said && (time.ahead = Date.parse(said) - (began + Date.now()) / 2),
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

  // `has`: members without which a success is none, beside one of `MEMBERS`.
  async send(method, path, body, { key, headers = {}, signal, has = [] } = {}) {
    const told = this.headers({ ...headers });
    if (body !== undefined) told["Content-Type"] = "application/json";
    if (key) told["Idempotency-Key"] = key;
    const answer = await attempt(`~/api/v1${path}`, { method, headers: told, body: body && JSON.stringify(body), cache: "no-store", signal });
    this.renew(answer);
    if (answer.status === 204 && method === "DELETE") return null;
    const given = Object(await answer.json().catch(() => null));
    const isOurs = answer.ok && MEMBERS.some((name) => name in given) && has.every((name) => name in given);
    if (!isOurs) throw refusal(answer.status, given, this.token, answer.headers.get("Retry-After"));
    return given;
  }

  renew(answer) {
    const fresh = answer.headers.get("Renewed-Token");
    if (fresh) tokens.set(this.name, fresh);
  }
}

// The problem in an answer. Where a token was sent and the server says that there is none, something took it away on the way.
export function refusal(status, given, token, retryAfter) {
  const problem = new Problem(status, given, retryAfter);
  const isStripped = problem.code === "token-missing" && token;
  return problem.isOurs && !isStripped ? problem : new Problem(status, { code: "foreign" }, retryAfter);
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
