// The view of types without a view of their own: shows the config as JSON and accepts any JSON.

import { ActivityElement, h, t } from "../sdk/v1.js";

/** @import { InputOf } from "../shapes.js" */

export default class extends ActivityElement {
  /** @type {string | null} */
  #text = null;
  #isJson = true;

  view() {
    const text = this.#text ?? (this.value === null ? "" : JSON.stringify(this.value, null, 2));
    return [
      h(
        "pre",
        { class: "json", dir: "ltr", tabindex: "0", "aria-label": t("json.config") },
        JSON.stringify(this.config, null, 2),
      ),
      h("label", { for: "json" }, t("json.label")),
      h("textarea", {
        id: "json",
        dir: "ltr",
        rows: 4,
        spellcheck: "false",
        value: text,
        disabled: !this.isOpen,
        "aria-invalid": String(!this.#isJson),
        "aria-describedby": "json-hint",
        oninput: (/** @type {InputOf} */ event) => this.read(event.target.value),
      }),
      h(
        "p",
        { id: "json-hint", class: this.#isJson ? "muted small" : "bad" },
        t(this.#isJson ? "json.hint" : "json.invalid"),
      ),
    ];
  }

  /** @param {string} text */
  read(text) {
    this.#text = text;
    try {
      const value = JSON.parse(text);
      this.#isJson = true;
      this.updateDraft(value);
    } catch {
      this.#isJson = text.trim() === "";
      this.updateDraft(null, false);
    }
  }
}
