import { drawMore } from "../../sdk/pictures.js";
import { ActivityElement, h, shown } from "../../sdk/v1.js";
import { ordered } from "./order.js";

const MOST = 30;

export default class extends ActivityElement {
  view() {
    const asked = ordered(this.responses, this.results);
    return [
      h("ol", { class: "asked" }, asked.slice(0, MOST).map((each) =>
        h("li", { key: each.id },
          h("span", { class: "votes" }, h("span", { "aria-hidden": "true" }, "▲ "), shown(each.votes)),
          h("span", { class: "grow", dir: "auto" }, each.text)))),
      drawMore(asked.length - MOST),
    ];
  }
}
