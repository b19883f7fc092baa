import { ActivityElement, h, t } from "../../sdk/v1.js";

export default class extends ActivityElement {
  view() {
    return h("fieldset", { class: "scale cards", disabled: !this.isOpen },
      h("legend", { class: "hidden-text" }, t("cards.legend")),
      (this.config.deck ?? []).map((card) => h("label", { class: "step card", key: card },
        h("input", { type: "radio", name: "card", value: card, checked: this.value?.card === card, onchange: () => this.begin({ card }) }),
        h("span", {}, card))));
  }
}
