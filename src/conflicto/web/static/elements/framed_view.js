// A view of a type that does not come with the program, in a sandboxed frame of an opaque origin. To its page it is the
// same custom element as a view in the page: properties become messages to the frame, and its messages become events.

import { patch } from "../core/dom.js";
import { boot } from "../core/i18n.js";
import { nameOf, titleOf, typeOf } from "../core/types.js";
import { appearanceOf, loadStyles, watchAppearance } from "./frame_appearance.js";
import { Heartbeat, hasStoppedPage } from "./frame_heartbeat.js";
import { Breach, MessageReader, PROTOCOL_VERSION } from "./frame_messages.js";

/** @import { ViewFault } from "../shapes.js" */
/** @import { Message, Reason } from "./frame_messages.js" */

const MAX_START_MS = 15_000;
const PROPERTIES = "activity phase mine answers draft responses results count ranks type config secret".split(" ");

export class FramedView extends HTMLElement {
  /** @type {Record<string, any>} */
  #values = {};
  /** @type {Record<string, string | undefined>} */
  #sent = {};
  /** @type {MessagePort | null} */
  #port = null;
  /** @type {Heartbeat | null} */
  #heartbeat = null;
  /** @type {(() => void)[]} */
  #endings = [];
  #isScheduled = false;
  #isReady = false;
  #hasAllTexts = false;
  #form = document.createElement("div");
  #frame = document.createElement("iframe");
  #reader;
  #shows;

  /** @param {{ type: string, view: string, onready: (statics: object) => void }} shows */
  constructor(shows) {
    super();
    this.#shows = shows;
    this.#reader = new MessageReader(shows.view);
    this.#form.className = "stack";
  }

  static {
    for (const name of PROPERTIES) {
      Object.defineProperty(this.prototype, name, {
        /** @this {FramedView} */
        get() {
          return this.#values[name] ?? null;
        },
        /** @this {FramedView} */
        set(value) {
          this.#values[name] = value;
          this.#schedule();
        },
      });
    }
  }

  // Draws the generated form of an editor. The page keeps it: fields and their errors are its own.
  get form() {
    return this.#values.form ?? null;
  }

  set form(draw) {
    this.#values.form = draw;
    if (this.#form.isConnected) patch(this.#form, draw());
  }

  connectedCallback() {
    const { type, view } = this.#shows;
    const name = `${type} ${view}`;
    if (hasStoppedPage(name)) return this.#stop("silence");
    this.#frame.className = "view-frame";
    this.#frame.title = titleOf(nameOf(type));
    this.#frame.setAttribute("sandbox", "allow-scripts");
    this.#frame.referrerPolicy = "no-referrer";
    this.#frame.src = `${boot.base}/frames/${type}/${view}.html`;
    const { signal } = this.#ending();
    this.#frame.addEventListener("load", () => this.#loaded(), { signal });
    addEventListener("message", (event) => this.#spoke(event), { signal });
    const timer = setTimeout(() => this.#isReady || this.#stop("start"), MAX_START_MS);
    this.#heartbeat = new Heartbeat(
      name,
      (n) => this.#post("ping", { n }),
      () => this.#stop("silence"),
    );
    this.#endings.push(
      () => clearTimeout(timer),
      () => this.#heartbeat?.end(),
      watchAppearance(this, () => this.#schedule()),
    );
    this.append(this.#frame);
  }

  disconnectedCallback() {
    this.#close();
  }

  #ending() {
    const controller = new AbortController();
    this.#endings.push(() => controller.abort());
    return controller;
  }

  #close() {
    for (const end of this.#endings.splice(0)) end();
    this.#port?.close();
    this.#port = null;
    this.#sent = {};
    this.#frame.remove();
    this.#isReady = false;
  }

  // The port is handed over once: a second document in the frame is a navigation.
  async #loaded() {
    if (this.#port) return this.#stop("navigation");
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = ({ data }) => this.#attempt(() => this.#receive(this.#reader.read(data)));
    const css = await loadStyles().catch(() => "");
    if (this.#port !== port1) return;
    this.#hasAllTexts = !boot.deferred;
    const start = { version: PROTOCOL_VERSION, css, boot: bootOf(this.#shows.type), ...this.#changes() };
    this.#frame.contentWindow?.postMessage(start, "*", [port2]); // an opaque origin has no name
  }

  // Messages beside the port are ignored, and counted like those without a shape.
  /** @param {MessageEvent} event */
  #spoke({ source }) {
    if (source === this.#frame.contentWindow) this.#attempt(() => this.#reader.ignore());
  }

  /** @param {() => void} operation */
  #attempt(operation) {
    try {
      operation();
    } catch (error) {
      if (!(error instanceof Breach)) throw error;
      this.#stop(error.reason);
    }
  }

  /** @param {Message | null} message */
  #receive(message) {
    if (!message) return;
    const { type, ...detail } = message;
    if (type === "pong") this.#heartbeat?.answer(detail.n);
    else if (type === "height") this.#frame.style.blockSize = `${Math.max(1, Math.ceil(detail.height))}px`;
    else if (type === "fault") void this.#failed(detail);
    else if (type === "ready") this.#becameReady(detail);
    else if (type === "form") this.#drawForm();
    else if (!this.#isReady) this.#reader.ignore();
    else if (type === "submit") {
      if (this.#values.phase === "open") this.#emit("answer", detail);
    } else this.#emit(type, detail);
  }

  /** @param {Record<string, any>} statics */
  #becameReady({ isInstant, showsResults }) {
    if (this.#isReady) return;
    this.#isReady = true;
    this.#shows.onready({ isInstant, showsResults });
    this.#schedule();
  }

  #drawForm() {
    if (!this.#values.form) return;
    this.prepend(this.#form);
    patch(this.#form, this.#values.form());
  }

  /** @param {Record<string, any>} fault */
  async #failed(fault) {
    const place = await loadFaults().then(
      ({ faultOf }) => faultOf(fault, fault.file, fault.line),
      () => fault, // offline
    );
    if (fault.isFatal) {
      const missing = !this.#isReady && !place.line ? await this.#missingImport() : null;
      this.#stop("fault", { ...place, ...missing });
    } else void report({ ...this.#named, ...place });
  }

  async #missingImport() {
    const { type, view } = this.#shows;
    const { missingImport } = await import("./missing_import.js");
    return missingImport(`${boot.base}/types/${type}/${view}.js`).catch(() => null);
  }

  get #named() {
    return { type: this.#shows.type, view: this.#shows.view };
  }

  /**
   * Cuts the view off. The page shows its own picture instead.
   *
   * @param {Reason} reason
   * @param {Record<string, any>} [place] of the fault that the view reported
   */
  #stop(reason, place) {
    this.#close();
    const fault = { ...this.#named, reason, ...(place ?? { name: "Stopped", message: STOPPED[reason] }) };
    void report(fault);
    queueMicrotask(() => this.#emit("failed", { fault })); // the page may be drawing
  }

  /** @param {string} name @param {unknown} detail */
  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }

  /** @param {string} type @param {object} fields */
  #post(type, fields) {
    this.#port?.postMessage({ type, ...fields });
  }

  // Sends what changed, once after several properties were set.
  #schedule() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      if (!this.#port || !this.#isReady) return;
      const changes = { ...this.#changes(), ...this.#newTexts() };
      if (Object.keys(changes).length) this.#post("set", changes);
    });
  }

  // A phone loads some texts after its first view, and draws again.
  #newTexts() {
    if (this.#hasAllTexts || boot.deferred) return null;
    this.#hasAllTexts = true;
    return { texts: boot.texts };
  }

  #changes() {
    /** @type {Record<string, any>} */
    const all = { appearance: appearanceOf(this) };
    for (const name of PROPERTIES) if (name in this.#values) all[`.${name}`] = this.#values[name];
    const changes = Object.entries(all).filter(([name, value]) => {
      const text = JSON.stringify(value);
      const isNew = this.#sent[name] !== text;
      this.#sent[name] = text;
      return isNew;
    });
    return Object.fromEntries(changes);
  }
}

const loadFaults = () => import("./faults.js");

/** @param {ViewFault} fault */
const report = (fault) =>
  loadFaults().then(
    ({ reportFault }) => reportFault(fault),
    () => null,
  );

/** @type {Record<Reason, string>} */
const STOPPED = {
  fault: "",
  flood: "sent too much",
  growth: "grew too tall",
  navigation: "left its page",
  silence: "did not respond",
  start: "did not start",
};

/**
 * Returns what the interface for views needs of the page's data. Nothing in it is secret.
 *
 * @param {string} type
 */
const bootOf = (type) => ({
  base: boot.base,
  locale: boot.locale,
  texts: boot.texts,
  limits: boot.limits,
  image_origins: [],
  deferred: null,
  types: { [nameOf(type)]: typeOf(type) }, // a frame knows one version only
});

/**
 * Returns the class of a framed view. Its statics are known when the first one is ready.
 *
 * @param {string} type
 * @param {string} view
 * @param {() => void} redraw
 */
export function framedView(type, view, redraw) {
  return class Framed extends FramedView {
    static isInstant = false;
    static showsResults = false;

    constructor() {
      super({
        type,
        view,
        onready: (statics) => {
          Object.assign(Framed, statics);
          redraw();
        },
      });
    }
  };
}
