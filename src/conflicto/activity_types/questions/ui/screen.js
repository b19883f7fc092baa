import { drawMore } from "../../sdk/results.js";
import { ActivityElement, formatNumber, h } from "../../sdk/v1.js";
import { ordered } from "./order.js";

const MAX_SHOWN = 30;

export default class extends ActivityElement {
  view() {
    const questions = ordered(this.responses, this.results);
    return [
      h(
        "ol",
        { class: "question-list" },
        questions
          .slice(0, MAX_SHOWN)
          .map((each) =>
            h(
              "li",
              { key: each.id },
              h("span", { class: "votes" }, h("span", { "aria-hidden": "true" }, "▲ "), formatNumber(each.votes)),
              h("span", { class: "grow", dir: "auto" }, each.text),
            ),
          ),
      ),
      drawMore(questions.length - MAX_SHOWN),
    ];
  }
}
