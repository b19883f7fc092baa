// Each option with a number field and buttons for one step less or more. The points that are left show below.

import { ActivityElement, formatNumber, h } from "../../sdk/v1.js";

export default class extends ActivityElement {
  view() {
    const { options, total } = this.config;
    const left = total - this.spent();
    return [
      h(
        "fieldset",
        { class: "stack", disabled: !this.isOpen },
        options.map((option) => this.row(option, left)),
      ),
      h(
        "p",
        { class: left < 0 ? "bad" : "strong", role: "status" },
        this.t(left < 0 ? "over" : "left", { n: Math.abs(left) }),
      ),
    ];
  }

  row({ id, text }, left) {
    const { step } = this.config;
    const value = this.points()[id] ?? 0;
    const button = (key, sign, to, disabled) =>
      h(
        "button",
        {
          type: "button",
          class: "square",
          disabled,
          "aria-label": this.t(key, { text }),
          onclick: () => this.put(id, to),
        },
        sign,
      );
    return h(
      "div",
      { class: "stack-tight", key: id },
      h("label", { for: `points-${id}`, dir: "auto" }, text),
      h(
        "div",
        { class: "row" },
        button("less", "−", Math.max(0, value - step), value <= 0),
        h("input", {
          id: `points-${id}`,
          class: "grow",
          type: "text",
          inputmode: "numeric",
          dir: "ltr",
          autocomplete: "off",
          value: value ? String(value) : "",
          placeholder: formatNumber(0),
          oninput: ({ target }) => this.put(id, Math.trunc(Number(target.value)) || 0),
        }),
        button("more", "+", value + step, left < step),
      ),
    );
  }

  points() {
    return this.value?.points ?? {};
  }

  spent() {
    return Object.values(this.points()).reduce((sum, each) => sum + each, 0);
  }

  put(id, value) {
    const { [id]: _, ...others } = this.points();
    const points = value > 0 ? { ...others, [id]: value } : others;
    const { step, total } = this.config;
    const numbers = Object.values(points);
    const isComplete =
      numbers.reduce((sum, each) => sum + each, 0) === total && numbers.every((each) => each % step === 0);
    this.updateDraft(isComplete ? { points } : null, isComplete, { points });
  }
}
