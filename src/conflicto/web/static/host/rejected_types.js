// Activity types that the server left out, with their faults, where hosts pick types.

import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";

export class RejectedTypes {
  #client;
  #draw;
  #items = null;

  constructor(client, draw) {
    this.#client = client;
    this.#draw = draw;
  }

  // Draws a notice, null if no type was left out. The first call fetches the list and draws again.
  view() {
    if (!this.#items) void this.#fetch();
    if (!this.#items.length) return null;
    return h(
      "details",
      { class: "stack-tight", key: "rejected" },
      h("summary", {}, t("host.types_rejected", { n: this.#items.length })),
      h("p", { class: "muted" }, t("host.types_rejected_hint")),
      this.#items.map(({ name, origin, faults }) => [
        h("p", { class: "strong", dir: "auto" }, `${name} (${origin})`),
        h(
          "ul",
          { dir: "ltr", lang: "en" },
          faults.map((fault) => h("li", {}, sentence(fault))),
        ),
      ]),
    );
  }

  async #fetch() {
    this.#items = [];
    const answer = await this.#client.get("/rejected-activity-types").catch(() => null);
    this.#items = answer?.items ?? [];
    if (this.#items.length) this.#draw();
  }
}

function sentence({ file, line, pointer, message, remedy }) {
  const place = `${file}${line ? `:${line}` : ""}${pointer ? ` at ${pointer}` : ""}`;
  return `${place}: ${message}. ${remedy}`;
}
