import { drawMore, drawResults } from "../../sdk/results.js";
import { ActivityElement, h } from "../../sdk/v1.js";
import { drawAgreement } from "./agreement.js";

const MAX_SHOWN = 40;

// Cards lie face down until the reveal: only how many there are is shown.
export default class extends ActivityElement {
  view() {
    if (this.results)
      return h(
        "div",
        { class: "results" },
        drawAgreement(this, this.results.cards ?? {}),
        drawResults(this.results, this.activity),
      );
    const count = this.count ?? 0;
    return [
      h(
        "div",
        { class: "table", role: "img", "aria-label": this.t("played", { n: count }) },
        Array.from({ length: Math.min(count, MAX_SHOWN) }, (_, index) => h("span", { class: "card-back", key: index })),
      ),
      drawMore(count - MAX_SHOWN),
    ];
  }
}
