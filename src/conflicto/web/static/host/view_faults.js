// Faults of views that phones and screens reported, in words. The list belongs to the shown activity.

import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { nameOf, titleOf, typeKey, typeOf } from "../core/types.js";

const POLL_MS = 5_000;

export class ViewFaults {
  #store;
  #draw;
  #items = [];
  #shown = "";

  constructor(store, draw) {
    this.#store = store;
    this.#draw = draw;
    setInterval(() => document.hidden || void this.#fetch(), POLL_MS);
  }

  view() {
    const shown = this.#store.shown && typeKey(this.#store.shown);
    const { version } = typeOf(shown ?? "");
    const faults = this.#items.filter((each) => each.type === nameOf(shown ?? "") && each.version === version);
    if (!faults.length) return null;
    return h(
      "div",
      { class: "banner stack-tight", key: "view-faults", role: "status" },
      faults.map((each) => h("p", { dir: "auto" }, sentence(each))),
    );
  }

  async #fetch() {
    const { session, path, client, isOffline } = this.#store;
    if (session?.status !== "active" || isOffline) return;
    const answer = await client.get(`${path}/view-faults`).catch(() => null);
    const shown = JSON.stringify(answer?.items ?? []);
    if (!answer || shown === this.#shown) return;
    this.#shown = shown;
    this.#items = answer.items;
    this.#draw();
  }
}

const sentence = ({ type, version, view, error, message, file, line, pages }) =>
  t(view === "screen" ? "host.view_fault_screen" : "host.view_fault", {
    n: pages,
    type: titleOf(type),
    version,
    message: message ? `${error}: ${message}` : error,
    place: line ? `${file}:${line}` : file,
  });
