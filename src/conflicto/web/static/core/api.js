// Requests to the API, their tokens, and their problems.

import { boot, t } from "./i18n.js";
import { storage, tabStorage } from "./storage.js";

/** @import { ProblemBody, RequestOptions } from "../shapes.js" */

const TIMEOUT_MS = 10_000;

// Every body of the API has one of these fields. Bodies of captive portals and proxies have none.
const RESPONSE_FIELDS = [
  "id",
  "items",
  "session_id",
  "activity_id",
  "response_id",
  "participants",
  "server",
  "server_time",
  "role",
  "type",
  "seat_token",
  "matching",
  "valid",
];

export class Problem extends Error {
  /**
   * @param {number} status
   * @param {ProblemBody} body
   * @param {string | null} [retryAfter] the header `Retry-After`
   */
  constructor(status, body, retryAfter = "") {
    super(body.code ?? `http-${status}`);
    this.status = status;
    this.code = body.code ?? `http-${status}`;
    this.body = body;
    this.retryAfterS = this.isTransient ? (body.retry_after_s ?? (Math.trunc(Number(retryAfter)) || 0)) : 0;
  }

  // True for a problem of the server itself, not of a proxy or captive portal.
  get isFromServer() {
    return this.body.server === boot.server;
  }

  // True if the same request may succeed later.
  get isTransient() {
    return !this.isFromServer || this.status === 408 || this.status === 429 || this.status >= 500;
  }

  get text() {
    const values = { n: this.body.retry_after_s, max: this.body.max };
    const keys = [`problem.${this.code}.${this.body.reason}`, `problem.${this.code}`, "problem.unknown"];
    return keys.map((key) => t(key, values)).find((words) => !words.startsWith("problem.")) ?? "";
  }
}

// Tokens stay in this browser. Links carry them in the fragment, which is never sent, and never in the query. The
// operator's token stays in the tab of the operator's page.
export const tokens = {
  arePersistent: true, // false: they are lost with the page
  /** @param {string} name */
  get: (name) => storageOf(name).get(`conflicto.${name}`),
  /**
   * @param {string} name
   * @param {string} token
   */
  set: (name, token) => (tokens.arePersistent = storageOf(name).set(`conflicto.${name}`, token)),
  /** @param {string} name */
  remove: (name) => storageOf(name).remove(`conflicto.${name}`),
  // Removes the operator's token from whatever this page can read. Every page that shows activities begins with it.
  removeOperator() {
    for (const each of [storage, tabStorage]) each.remove(`conflicto.${OPERATOR}`);
  },
};

const OPERATOR = "admin";

/** @param {string} name */
const storageOf = (name) => (name === OPERATOR ? tabStorage : storage);

/**
 * Returns the subject of a token. The operator's token has no claims.
 *
 * @param {string | null} token
 * @returns {string}
 */
export function subjectOf(token) {
  const [, claims] = token?.split(".") ?? [];
  return claims ? JSON.parse(atob(claims.replace(/-/g, "+").replace(/_/g, "/"))).sub : "admin";
}

/**
 * Returns the address of another page, with the token if this browser cannot store it.
 *
 * @param {string} address
 * @param {string} name of the token in this browser
 * @param {string} as its name in the fragment
 */
export const withToken = (address, name, as) =>
  tokens.arePersistent ? address : `${address}#${as}=${tokens.get(name)}`;

// Returns a random key. crypto.randomUUID is missing on plain HTTP.
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const time = {
  offset: 0,
  now: () => Date.now() + time.offset,
  /**
   * @param {string} [serverTime]
   * @param {number} [began] the time of the request; half of the round trip is subtracted
   */
  sync(serverTime, began = Date.now()) {
    if (serverTime) time.offset = Date.parse(serverTime) - (began + Date.now()) / 2;
  },
};

// A client of the API with one token: the first of `names` that this browser stores.
export class Client {
  /** @param {string[]} names */
  constructor(...names) {
    this.name = names.find((name) => tokens.get(name)) ?? names[0];
  }

  get token() {
    return tokens.get(this.name);
  }

  /**
   * @param {Record<string, string>} [more]
   * @returns {Record<string, string>}
   */
  headers(more = {}) {
    return this.token ? { Authorization: `Bearer ${this.token}`, ...more } : more;
  }

  /** @param {string} path @param {RequestOptions} [options] */
  get = (path, options = {}) => this.send("GET", path, undefined, options);
  /** @param {string} path @param {unknown} [body] @param {RequestOptions} [options] */
  post = (path, body = {}, options = {}) => this.send("POST", path, body, options);
  /** @param {string} path @param {unknown} body */
  patch = (path, body) => this.send("PATCH", path, body);
  /** @param {string} path @param {unknown} body */
  put = (path, body) => this.send("PUT", path, body);
  /** @param {string} path */
  delete = (path) => this.send("DELETE", path);

  /**
   * Returns the body of a success, null after a deletion. A problem is thrown.
   *
   * @param {string} method
   * @param {string} path below `/api/v1`
   * @param {unknown} [body]
   * @param {RequestOptions} [options]
   * @returns {Promise<any>}
   */
  async send(method, path, body, { key, headers = {}, signal, required = [] } = {}) {
    const sentHeaders = this.headers({ ...headers });
    if (body !== undefined) sentHeaders["Content-Type"] = "application/json";
    if (key) sentHeaders["Idempotency-Key"] = key;
    const response = await attempt(`~/api/v1${path}`, {
      method,
      headers: sentHeaders,
      body: body ? JSON.stringify(body) : undefined,
      cache: "no-store",
      signal,
    });
    this.renew(response);
    if (response.status === 204 && method === "DELETE") return null;
    const data = Object(await response.json().catch(() => null));
    const isFromServer =
      response.ok && RESPONSE_FIELDS.some((name) => name in data) && required.every((name) => name in data);
    if (!isFromServer) throw toProblem(response.status, data, this.token, response.headers.get("Retry-After"));
    return data;
  }

  /** @param {Response} response */
  renew(response) {
    const renewed = response.headers.get("Renewed-Token");
    if (renewed) tokens.set(this.name, renewed);
  }
}

/**
 * Returns the problem of a response. A missing token that was sent has been stripped on the way.
 *
 * @param {number} status
 * @param {ProblemBody} data
 * @param {string | null} [token] that was sent
 * @param {string | null} [retryAfter]
 */
export function toProblem(status, data, token, retryAfter) {
  const problem = new Problem(status, data, retryAfter);
  const isStripped = problem.code === "token-missing" && token;
  return problem.isFromServer && !isStripped ? problem : new Problem(status, { code: "foreign" }, retryAfter);
}

/**
 * @param {string} address
 * @param {RequestInit} options
 */
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
