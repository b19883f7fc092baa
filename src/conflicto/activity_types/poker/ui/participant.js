import { ActivityElement, h } from "../../sdk/v1.js";
import { drawAgreement } from "./agreement.js";

export default class extends ActivityElement {
  view() {
    return [
      this.results ? drawAgreement(this, this.results.cards ?? {}) : null,
      h(
        "fieldset",
        { class: "scale cards", disabled: !this.isOpen },
        h("legend", { class: "hidden-text" }, this.t("legend")),
        this.config.deck.map((card) =>
          h(
            "label",
            { class: "step card", key: card },
            h("input", {
              type: "radio",
              name: "card",
              value: card,
              checked: this.value?.card === card,
              onchange: () => this.updateDraft({ card }),
            }),
            h("span", {}, card),
          ),
        ),
      ),
    ];
  }
}
