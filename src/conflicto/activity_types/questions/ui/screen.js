import { ActivityElement, h, shown } from "../../sdk/v1.js";

const MOST = 8;

// What was asked, with what most people support on top.
export default class extends ActivityElement {
  view() {
    const votes = new Map((this.results?.support?.targets ?? []).map(({ target, up, down }) => [target, up - down]));
    const asked = (this.responses ?? []).filter((each) => each.response_data?.text)
      .map(({ id, created_at: at, response_data: { text } }) => ({ id, at, text, votes: votes.get(id) ?? 0 }))
      .sort((a, b) => b.votes - a.votes || (a.at < b.at ? -1 : 1));
    return h("ol", { class: "asked" }, asked.slice(0, MOST).map((each) =>
      h("li", { key: each.id },
        h("span", { class: "votes" }, h("span", { "aria-hidden": "true" }, "▲ "), shown(each.votes)),
        h("span", { class: "grow", dir: "auto" }, each.text))));
  }
}
