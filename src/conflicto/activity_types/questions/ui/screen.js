import { ActivityElement, h, shown } from "../../sdk/v1.js";
import { ordered } from "./order.js";

const MOST = 8;

export default class extends ActivityElement {
  view() {
    return h("ol", { class: "asked" }, ordered(this.responses, this.results).slice(0, MOST).map((each) =>
      h("li", { key: each.id },
        h("span", { class: "votes" }, h("span", { "aria-hidden": "true" }, "▲ "), shown(each.votes)),
        h("span", { class: "grow", dir: "auto" }, each.text))));
  }
}
