import { EditorElement, h } from "../../sdk/v1.js";

const DECKS = {
  fibonacci: ["0", "1", "2", "3", "5", "8", "13", "21", "?"],
  powers: ["1", "2", "4", "8", "16", "32", "?"],
  shirts: ["XS", "S", "M", "L", "XL", "?"],
};

// The usual decks at a touch; any other is typed.
export default class extends EditorElement {
  view() {
    const deck = this.config.deck?.join();
    return [
      this.form(),
      h(
        "div",
        { class: "row wrap", role: "group", "aria-label": this.t("decks") },
        Object.entries(DECKS).map(([name, cards]) =>
          h(
            "button",
            {
              type: "button",
              key: name,
              "aria-pressed": String(deck === cards.join()),
              onclick: () => this.change({ ...this.config, deck: cards }),
            },
            this.t(name),
          ),
        ),
      ),
    ];
  }
}
