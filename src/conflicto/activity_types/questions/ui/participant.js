import { ActivityElement, formatNumber, h, textField } from "../../sdk/v1.js";
import { ordered } from "./order.js";

const MAX_LENGTH = 500;

export default class extends ActivityElement {
  static showsResults = true;

  view() {
    const supported = new Map();
    for (const each of this.answers ?? [])
      if (each.response_data?.target) supported.set(each.response_data.target, each.response_data.vote);
    const own = new Set((this.answers ?? []).map(({ id }) => id));
    const questions = ordered(this.responses, this.results);
    return [
      textField({
        label: this.t("label"),
        value: this.value?.text,
        maxLength: MAX_LENGTH,
        lines: 3,
        disabled: !this.isOpen,
        oninput: (text) => this.updateDraft({ text }, text.trim() !== ""),
      }),
      questions.length ? h("h2", {}, this.t("questions")) : null,
      h(
        "ul",
        { class: "question-list" },
        questions.map((each) => this.question(each, own.has(each.id), supported.get(each.id) === 1)),
      ),
    ];
  }

  question({ id, text, votes }, isOwn, isSupported) {
    return h(
      "li",
      { key: id },
      h(
        "span",
        { class: "grow", dir: "auto" },
        text,
        isOwn ? h("span", { class: "muted small" }, ` · ${this.t("own")}`) : null,
      ),
      h(
        "button",
        {
          type: "button",
          class: "square",
          "aria-pressed": String(isSupported),
          disabled: !this.isOpen || isOwn,
          "aria-label": this.t("support", { text, n: votes }),
          onclick: () => this.submit({ target: id, vote: isSupported ? 0 : 1 }),
        },
        h("span", { "aria-hidden": "true" }, "▲"),
        formatNumber(votes),
      ),
    );
  }
}
