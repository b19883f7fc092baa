import { readNumber } from "../../sdk/numbers.js";
import { ActivityElement, formatNumber, h } from "../../sdk/v1.js";

export default class extends ActivityElement {
  #text = null; // as it was typed: nobody writes into the field of whoever is in it
  #error = "";

  view() {
    const { unit, min, max } = this.config;
    const right = this.activity.secret?.correct;
    const value =
      this.#text ?? this.value?.text ?? (typeof this.value?.value === "number" ? plain(this.value.value) : "");
    return [
      h("label", { for: "value" }, this.t("label")),
      h(
        "div",
        { class: "row" },
        h("input", {
          id: "value",
          class: "grow",
          type: "text",
          inputmode: min >= 0 ? "decimal" : "text",
          autocomplete: "off",
          dir: "ltr",
          value,
          disabled: !this.isOpen,
          "aria-invalid": this.#error ? "true" : null,
          "aria-describedby": "value-hint",
          oninput: (event) => this.read(event.target.value),
          onblur: () => this.left(),
        }),
        unit ? h("span", { dir: "auto" }, unit) : null,
      ),
      h("p", { id: "value-hint", class: this.#error ? "bad" : "muted small" }, this.#error || bounds(this, min, max)),
      right === undefined
        ? null
        : h("p", { class: "strong" }, this.t("right", { value: formatNumber(right), unit: unit ?? "" })),
    ];
  }

  read(text) {
    this.#text = text;
    const value = readNumber(text);
    this.#error = value === null ? "" : this.errorFor(value);
    const isGood = value !== null && !this.#error;
    this.updateDraft(isGood ? { value } : null, isGood, isGood ? { value, text } : { text });
  }

  errorFor(value) {
    const { min, max, step } = this.config;
    if (Number.isNaN(value)) return this.t("unclear", { a: plain(1234), b: plain(0.5) });
    if (value < (min ?? -Number.MAX_SAFE_INTEGER) || value > (max ?? Number.MAX_SAFE_INTEGER))
      return bounds(this, min ?? -Number.MAX_SAFE_INTEGER, max ?? Number.MAX_SAFE_INTEGER);
    const steps = step ? (value - (min ?? 0)) / step : 0;
    return Math.abs(steps - Math.round(steps)) > 1e-9 * Math.max(1, Math.abs(steps))
      ? this.t("step", { step: plain(step) })
      : "";
  }

  setProperty(name, value) {
    super.setProperty(name, value);
    if (!this.contains(document.activeElement)) this.left();
  }

  // Once sent and left, the field shows what was understood, or what another tab of the seat sent.
  left() {
    if (this.draft) return;
    this.#text = null;
    this.#error = "";
    this.redraw();
  }
}

const plain = (value) =>
  new Intl.NumberFormat(document.documentElement.lang, {
    numberingSystem: "latn",
    useGrouping: false,
    maximumFractionDigits: 20,
  }).format(value);

function bounds(view, min, max) {
  if (min === undefined && max === undefined) return "";
  const [least, most] = [min, max].map((each) => plain(each ?? 0));
  if (min === undefined) return view.t("at_most", { max: most });
  return max === undefined ? view.t("at_least", { min: least }) : view.t("between", { min: least, max: most });
}
