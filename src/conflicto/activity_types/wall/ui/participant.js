import { ActivityElement, textField } from "../../sdk/v1.js";

export default class extends ActivityElement {
  view() {
    return textField({
      label: this.t("label"),
      value: this.value?.text,
      maxLength: this.config.max_length ?? 280,
      lines: 4,
      disabled: !this.isOpen,
      oninput: (text) => this.updateDraft({ text }, text.trim() !== ""),
    });
  }
}
