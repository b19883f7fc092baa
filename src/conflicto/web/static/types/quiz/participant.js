import { ActivityElement, choices, h, rightMark, t } from "../../sdk/v1.js";

export default class extends ActivityElement {
  view() {
    const { correct, explanation } = this.activity.secret ?? {};
    const chosen = this.value?.choice;
    return [
      choices({
        legend: t("choices.legend"), options: this.config.options ?? [], chosen: [chosen], multiple: false, disabled: !this.isOpen,
        onpick: (id) => this.begin({ choice: id }), mark: (option) => (option.id === correct ? rightMark() : null),
      }),
      correct && chosen ? h("p", { class: "strong" }, chosen === correct ? `✓ ${t("answer.was_right")}` : `✗ ${t("answer.was_wrong")}`) : null,
      explanation ? h("p", { dir: "auto" }, explanation) : null,
    ];
  }
}
