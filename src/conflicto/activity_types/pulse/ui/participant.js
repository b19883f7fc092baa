import { ActivityElement, h } from "../../sdk/v1.js";

export default class extends ActivityElement {
  static isInstant = true;

  view() {
    return [
      h("div", { class: "emojis", role: "group", "aria-label": this.t("legend") },
        this.config.emojis.map((emoji) =>
          h("button", { type: "button", key: emoji, disabled: !this.isOpen, onclick: () => this.give({ emoji }) }, emoji))),
      h("p", { class: "muted" }, this.t("sent", { n: this.answers?.length ?? 0 })),
    ];
  }
}
