import { drawMore, drawResults } from "../../sdk/results.js";
import { ActivityElement, h, t } from "../../sdk/v1.js";

const MAX_SHOWN = 24;

// The newest texts, where the screen may show them; else their words.
export default class extends ActivityElement {
  view() {
    const texts = (this.responses ?? [])
      .filter((each) => each.response_data?.text)
      .sort((a, b) => (a.created_at < b.created_at ? 1 : -1));
    if (texts.length) {
      return [
        h(
          "ul",
          { class: "notes" },
          texts.slice(0, MAX_SHOWN).map(({ id, response_data: { text } }) => h("li", { key: id, dir: "auto" }, text)),
        ),
        drawMore(texts.length - MAX_SHOWN),
      ];
    }
    if (this.results) return h("div", { class: "results" }, drawResults(this.results, this.activity));
    return h("p", { class: "muted large" }, this.phase === "open" ? "" : t("results.hidden"));
  }
}
