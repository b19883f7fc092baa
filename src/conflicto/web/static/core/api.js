// Requests to the API, the tokens they carry, and what is said when one is refused.

import { boot, t } from "./i18n.js";
import { storage } from "./storage.js";

const TIMEOUT_MS = 10_000;

// Each body of the API holds one of these; what a portal or a proxy says instead of it holds none, or is no JSON.
const RESPONSE_FIELDS = ["id", "items", "session_id", "activity_id", "response_id", "participants", "server", "server_time", "role", "type", "seat_token", "matching", "valid"];

export class Problem extends Error {
  constructor(status, body, retryAfter = "") {
    super(body.code ?? `http-${status}`);
    this.status = status;
    this.code = body.code ?? `http-${status}`;
    this.body = body;
    this.retryAfterS = this.isTransient ? body.retry_after_s ?? (Number.parseInt(retryAfter, 10) || 0) : 0;
  }

  // Whether the server itself said it. What stands between may answer as it likes, and decides nothing.
  get isFromServer() {
    return this.body.server === boot.server;
  }

  // Whether the same request may succeed later, as it is.
  get isTransient() {
    return !this.isFromServer || this.status === 408 || this.status === 429 || this.status >= 500;
  }

  get text() {
    const values = { n: this.body.retry_after_s, max: this.body.max };
    const keys = [`problem.${this.code}.${this.body.reason}`, `problem.${this.code}`, "problem.unknown"];
    return keys.map((key) => t(key, values)).find((words) => !words.startsWith("problem."));
  }
}

// Tokens stay in this browser: they are handed over in a link's fragment, which is never sent, and never stand in a query.
export const tokens = {
  arePersistent: true, // or they are gone with the page
  get: (name) => storage.get(`conflicto.${name}`),
  set: (name, token) => (tokens.arePersistent = storage.set(`conflicto.${name}`, token)),
  remove: (name) => storage.remove(`conflicto.${name}`),
};

// Whose a token is, by what it says itself; the operator's says nothing.
export function subjectOf(token) {
  const [, claims] = token?.split(".") ?? [];
  return claims ? JSON.parse(atob(claims.replace(/-/g, "+").replace(/_/g, "/"))).sub : "admin";
}

// An address of ours for another page, with the token where this browser would not keep it until then.
export const withToken = (address, name, as) => (tokens.arePersistent ? address : `${address}#${as}=${tokens.get(name)}`);

// An id made here; the one that browsers offer is missing where a page came over plain http.
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const time = {
  offset: 0,
  now: () => Date.now() + time.offset,
  // `began`: when it was asked for. Half of the way is taken off.
  sync: (serverTime, began = Date.now()) => serverTime && (time.offset = Date.parse(serverTime) - (began + Date.now()) / 2),
};

// One who calls with one token: the one under the first of `names` that this browser holds.
export class Client {
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
  async send(method, path, body, { key, headers = {}, signal, required = [] } = {}) {
    const sentHeaders = this.headers({ ...headers });
    if (body !== undefined) sentHeaders["Content-Type"] = "application/json";
    if (key) sentHeaders["Idempotency-Key"] = key;
    const response = await attempt(`~/api/v1${path}`, { method, headers: sentHeaders, body: body && JSON.stringify(body), cache: "no-store", signal });
    this.renew(response);
    if (response.status === 204 && method === "DELETE") return null;
    const data = Object(await response.json().catch(() => null));
    const isFromServer = response.ok && RESPONSE_FIELDS.some((name) => name in data) && required.every((name) => name in data);
    if (!isFromServer) throw toProblem(response.status, data, this.token, response.headers.get("Retry-After"));
    return data;
  }

  renew(response) {
    const renewed = response.headers.get("Renewed-Token");
    if (renewed) tokens.set(this.name, renewed);
  }
}

// The problem in an answer. Where a token was sent and the server says that there is none, something took it away on the way.
export function toProblem(status, data, token, retryAfter) {
  const problem = new Problem(status, data, retryAfter);
  const isStripped = problem.code === "token-missing" && token;
  return problem.isFromServer && !isStripped ? problem : new Problem(status, { code: "foreign" }, retryAfter);
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
