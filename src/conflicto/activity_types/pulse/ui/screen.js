import { ActivityElement, formatNumber, h } from "../../sdk/v1.js";

// Every reaction with its count; the more there are of one, the larger it is.
export default class extends ActivityElement {
  view() {
    const counts = new Map((this.results?.reactions?.values ?? []).map(({ value, count }) => [value, count]));
    const most = Math.max(1, ...counts.values());
    return h(
      "ul",
      { class: "reactions" },
      this.config.emojis.map((emoji) =>
        h(
          "li",
          { key: emoji, style: { "--weight": ((counts.get(emoji) ?? 0) / most).toFixed(3) } },
          h("span", { class: "emoji" }, emoji),
          h("span", { class: "strong" }, formatNumber(counts.get(emoji) ?? 0)),
        ),
      ),
    );
  }
}
