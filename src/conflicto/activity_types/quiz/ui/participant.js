import { ActivityElement, choices, h, rightMark } from "../../sdk/v1.js";

export default class extends ActivityElement {
  view() {
    const { correct, explanation } = this.activity.secret ?? {};
    const chosen = this.value?.choice;
    return [
      choices({
        legend: this.t("legend"),
        options: this.config.options ?? [],
        chosen: [chosen],
        multiple: false,
        disabled: !this.isOpen,
        onpick: (id) => this.updateDraft({ choice: id }),
        mark: (option) => (option.id === correct ? rightMark() : null),
      }),
      correct && chosen
        ? h("p", { class: "strong" }, chosen === correct ? `✓ ${this.t("right")}` : `✗ ${this.t("wrong")}`)
        : null,
      explanation ? h("p", { dir: "auto" }, explanation) : null,
    ];
  }
}
