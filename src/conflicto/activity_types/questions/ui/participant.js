import { ActivityElement, h, textField } from "../../sdk/v1.js";

export default class extends ActivityElement {
  view() {
    const supported = new Map();
    for (const each of this.answers ?? []) if (each.response_data?.target) supported.set(each.response_data.target, each.response_data.vote);
    const asked = (this.responses ?? []).filter((each) => each.response_data?.text);
    return [
      textField({
        label: this.t("label"), value: this.value?.text, most: 280, lines: 3, disabled: !this.isOpen,
        oninput: (text) => this.begin({ text }, text.trim() !== ""),
      }),
      asked.length ? h("h3", {}, this.t("others")) : null,
      h("ul", { class: "asked" }, asked.map((each) => this.question(each, supported.get(each.id) === 1))),
    ];
  }

  question({ id, response_data: { text } }, isSupported) {
    return h("li", { key: id },
      h("span", { class: "grow", dir: "auto" }, text),
      h("button", {
        type: "button", "aria-pressed": String(isSupported), disabled: !this.isOpen, "aria-label": this.t("support", { text }),
        onclick: () => this.give({ target: id, vote: isSupported ? 0 : 1 }),
      }, "▲"));
  }
}
