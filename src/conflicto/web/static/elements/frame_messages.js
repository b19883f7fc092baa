// Messages of a framed view: their shapes and their limits. A view is a stranger, so nothing is taken on trust.

export const PROTOCOL_VERSION = 1;

// The longest text of one message, in UTF-16 code units. An answer is shorter.
export const MAX_MESSAGE_CHARS = 65_536;
export const MAX_HEIGHT_PX = 10_000;
const MAX_FAULT_CHARS = 2_000;

// Budgets as [burst, per second].
const MESSAGES = [200, 50];
const CHARS = [524_288, 131_072];
const SUBMITS = [20, 5];
const IGNORED = [20, 1];

/** @typedef {"flood" | "growth" | "navigation" | "silence" | "start" | "fault"} Reason */
/** @typedef {Record<string, any> & { type: string }} Message */

/** A breach for which a view is cut off. */
export class Breach extends Error {
  /** @param {Reason} reason */
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

/** @param {string} name @returns {(value: unknown) => boolean} */
const is = (name) => (value) => typeof value === name;
const isPresent = (/** @type {unknown} */ value) => value !== undefined;
const isText = (/** @type {unknown} */ value) => typeof value === "string" && value.length <= MAX_FAULT_CHARS;
const isObject = (/** @type {unknown} */ value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** @type {Record<string, Record<string, (value: any) => boolean>>} */
const SHAPES = {
  ready: { isInstant: is("boolean"), showsResults: is("boolean") },
  pong: { n: Number.isInteger },
  height: { height: Number.isFinite },
  fault: { name: isText, message: isText, stack: isText, file: isText, line: Number.isInteger, isFatal: is("boolean") },
  draft: { response: isPresent, isComplete: is("boolean") },
  submit: { response: isPresent },
  change: { config: isObject, secret: isPresent },
  form: {},
};

const COMMON = ["ready", "pong", "height", "fault"];
/** @type {Record<string, string[]>} */
const OWN = { participant: ["draft", "submit"], editor: ["change", "form"] };

/** A budget that refills with time. */
class Budget {
  /** @param {number[]} size burst and refill per second @param {() => number} now in ms */
  constructor([burst, perSecond], now) {
    this.burst = burst;
    this.perMs = perSecond / 1_000;
    this.now = now;
    this.left = burst;
    this.at = now();
  }

  /** @param {number} amount */
  spend(amount) {
    const now = this.now();
    this.left = Math.min(this.burst, this.left + (now - this.at) * this.perMs) - amount;
    this.at = now;
    if (this.left < 0) throw new Breach("flood");
  }
}

export class MessageReader {
  ignored = 0; // messages without a known shape
  #types;
  #messages;
  #chars;
  #submits;
  #ignores;

  /** @param {string} view @param {() => number} [now] */
  constructor(view, now = () => performance.now()) {
    this.#types = new Set([...COMMON, ...(OWN[view] ?? [])]);
    this.#messages = new Budget(MESSAGES, now);
    this.#chars = new Budget(CHARS, now);
    this.#submits = new Budget(SUBMITS, now);
    this.#ignores = new Budget(IGNORED, now);
  }

  /**
   * Returns a valid message, or null for one that is ignored and counted.
   *
   * @param {unknown} data
   * @returns {Message | null}
   * @throws {Breach} the view sends too much
   */
  read(data) {
    this.#messages.spend(1);
    if (typeof data !== "string") return this.ignore();
    this.#chars.spend(data.length);
    const message = data.length <= MAX_MESSAGE_CHARS ? parse(data) : null;
    if (!message || !this.#types.has(message.type) || !hasShape(message)) return this.ignore();
    if (message.type === "submit") this.#submits.spend(1);
    if (message.type === "height" && message.height > MAX_HEIGHT_PX) throw new Breach("growth");
    return message;
  }

  /** @returns {null} */
  ignore() {
    this.ignored += 1;
    this.#ignores.spend(1);
    return null;
  }
}

/** @param {string} text */
function parse(text) {
  try {
    const value = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** @param {Message} message */
const hasShape = (message) => Object.entries(SHAPES[message.type]).every(([name, check]) => check(message[name]));
