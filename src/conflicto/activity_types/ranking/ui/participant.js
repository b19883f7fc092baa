import { ActivityElement, formatNumber, h } from "../../sdk/v1.js";

export default class extends ActivityElement {
  view() {
    const options = new Map((this.config.options ?? []).map((option) => [option.id, option]));
    const known = (this.value?.ranking ?? []).filter((id) => options.has(id));
    const order = [...known, ...[...options.keys()].filter((id) => !known.includes(id))];
    if (this.isOpen && !this.value) queueMicrotask(() => this.updateDraft({ ranking: order }));
    return [
      h("p", { class: "muted" }, this.t("how")),
      h(
        "ol",
        { class: "rank-list" },
        order.map((id, index) =>
          h(
            "li",
            { key: id },
            h("span", { class: "letter", "aria-hidden": "true" }, formatNumber(index + 1)),
            h("span", { class: "grow", dir: "auto" }, options.get(id).text),
            this.move(order, index, -1, options.get(id).text),
            this.move(order, index, 1, options.get(id).text),
          ),
        ),
      ),
    ];
  }

  move(order, index, by, text) {
    const to = index + by;
    return h(
      "button",
      {
        type: "button",
        class: "square",
        disabled: !this.isOpen || to < 0 || to >= order.length,
        "aria-label": this.t(by < 0 ? "up" : "down", { text }),
        onclick: () => this.updateDraft({ ranking: swapped(order, index, to) }),
      },
      by < 0 ? "↑" : "↓",
    );
  }
}

function swapped(order, one, other) {
  const made = [...order];
  [made[one], made[other]] = [order[other], order[one]];
  return made;
}
