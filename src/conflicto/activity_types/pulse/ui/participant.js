import { ActivityElement, formatNumber, h } from "../../sdk/v1.js";

export default class extends ActivityElement {
  static isInstant = true;
  static showsResults = true;

  view() {
    const counts = new Map((this.results?.reactions?.values ?? []).map(({ value, count }) => [value, count]));
    return [
      h(
        "ul",
        { class: "emojis", "aria-label": this.t("legend") },
        this.config.emojis.map((emoji) =>
          h(
            "li",
            { key: emoji },
            h("button", { type: "button", disabled: !this.isOpen, onclick: () => this.submit({ emoji }) }, emoji),
            this.results ? h("span", {}, formatNumber(counts.get(emoji) ?? 0)) : null,
          ),
        ),
      ),
      h("p", { class: "muted" }, this.t("sent", { n: this.answers?.length ?? 0 })),
    ];
  }
}
