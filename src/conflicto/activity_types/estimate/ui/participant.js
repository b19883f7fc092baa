import { ActivityElement, h, shown } from "../../sdk/v1.js";

export default class extends ActivityElement {
  view() {
    const { unit, min, max, step } = this.config;
    const right = this.activity.secret?.correct;
    return [
      h("label", { for: "value" }, this.t("label")),
      h("div", { class: "row" },
        h("input", {
          id: "value", class: "grow", type: "number", inputmode: "decimal", min, max, step: step ?? "any", value: this.value?.value ?? "",
          disabled: !this.isOpen, oninput: (event) => this.read(event.target),
        }),
        unit ? h("span", { dir: "auto" }, unit) : null),
      right === undefined ? null : h("p", { class: "strong" }, this.t("right", { value: shown(right), unit: unit ?? "" })),
    ];
  }

  read(field) {
    this.begin({ value: field.valueAsNumber }, field.value !== "" && field.checkValidity());
  }
}
