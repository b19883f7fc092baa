import { ActivityElement, h, shown } from "../../sdk/v1.js";
import { readNumber } from "../../sdk/numbers.js";

export default class extends ActivityElement {
  #text = null; // as it was typed: nobody writes into the field of whoever is in it
  #fault = "";

  view() {
    const { unit, min, max } = this.config;
    const right = this.activity.secret?.correct;
    const value = this.#text ?? this.value?.text ?? (typeof this.value?.value === "number" ? plain(this.value.value) : "");
    return [
      h("label", { for: "value" }, this.t("label")),
      h("div", { class: "row" },
        h("input", {
          id: "value", class: "grow", type: "text", inputmode: min >= 0 ? "decimal" : "text", autocomplete: "off", dir: "ltr", value, disabled: !this.isOpen,
          "aria-invalid": this.#fault ? "true" : null, "aria-describedby": "value-hint", oninput: (event) => this.read(event.target.value), onblur: () => this.left(),
        }),
        unit ? h("span", { dir: "auto" }, unit) : null),
      h("p", { id: "value-hint", class: this.#fault ? "bad" : "muted small" }, this.#fault || bounds(this, min, max)),
      right === undefined ? null : h("p", { class: "strong" }, this.t("right", { value: shown(right), unit: unit ?? "" })),
    ];
  }

  read(text) {
    this.#text = text;
    const value = readNumber(text);
    this.#fault = value === null ? "" : this.faultOf(value);
    const isGood = value !== null && !this.#fault;
    this.begin(isGood ? { value } : null, isGood, isGood ? { value, text } : { text });
  }

  faultOf(value) {
    const { min, max, step } = this.config;
    if (Number.isNaN(value)) return this.t("unclear", { a: plain(1234), b: plain(0.5) });
    if (value < (min ?? -Number.MAX_SAFE_INTEGER) || value > (max ?? Number.MAX_SAFE_INTEGER)) return bounds(this, min ?? -Number.MAX_SAFE_INTEGER, max ?? Number.MAX_SAFE_INTEGER);
    const steps = step ? (value - (min ?? 0)) / step : 0;
    return Math.abs(steps - Math.round(steps)) > 1e-9 * Math.max(1, Math.abs(steps)) ? this.t("step", { step: plain(step) }) : "";
  }

  take(name, value) {
    super.take(name, value);
    if (!this.contains(document.activeElement)) this.left();
  }

  // Once sent and left, the field shows what was understood, or what another tab of the seat sent.
  left() {
    if (this.held.draft) return;
    this.#text = null;
    this.#fault = "";
    this.redraw();
  }
}

const plain = (value) => new Intl.NumberFormat(document.documentElement.lang, { numberingSystem: "latn", useGrouping: false, maximumFractionDigits: 20 }).format(value);

function bounds(view, min, max) {
  if (min === undefined && max === undefined) return "";
  const [least, most] = [min, max].map((each) => plain(each ?? 0));
  if (min === undefined) return view.t("at_most", { max: most });
  return max === undefined ? view.t("at_least", { min: least }) : view.t("between", { min: least, max: most });
}
