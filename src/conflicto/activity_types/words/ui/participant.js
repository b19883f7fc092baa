import { ActivityElement, h, textField } from "../../sdk/v1.js";

export default class extends ActivityElement {
  view() {
    const most = this.config.max_words ?? 3;
    const words = this.value?.words ?? [];
    return h(
      "div",
      { class: "stack" },
      Array.from({ length: most }, (_, index) =>
        textField({
          label: this.t("label", { n: index + 1 }),
          value: words[index],
          maxLength: 40,
          disabled: !this.isOpen,
          oninput: (text) => this.write(index, text, most),
        }),
      ),
    );
  }

  write(index, text, most) {
    const words = Array.from({ length: most }, (_, at) => (at === index ? text : (this.value?.words?.[at] ?? "")));
    const kept = words.map((word) => word.trim()).filter(Boolean);
    this.updateDraft({ words: kept }, kept.length > 0, { words });
  }
}
