import { ActivityElement, formatNumber, h } from "../../sdk/v1.js";

export default class extends ActivityElement {
  view() {
    const { min = 1, max = 5, low_label: low, high_label: high } = this.config;
    const steps = Array.from({ length: max - min + 1 }, (_, index) => min + index);
    return [
      h(
        "fieldset",
        { class: "scale", disabled: !this.isOpen },
        h("legend", { class: "hidden-text" }, this.t("legend", { min, max })),
        steps.map((step) =>
          h(
            "label",
            { class: "step", key: step },
            h("input", {
              type: "radio",
              name: "rating",
              value: step,
              checked: this.value?.rating === step,
              onchange: () => this.updateDraft({ rating: step }),
            }),
            h("span", {}, formatNumber(step)),
          ),
        ),
      ),
      low || high
        ? h("p", { class: "ends muted" }, h("span", { dir: "auto" }, low ?? ""), h("span", { dir: "auto" }, high ?? ""))
        : null,
    ];
  }
}
