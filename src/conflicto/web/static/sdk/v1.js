// The interface for views of activity types. A view is a custom element: the page sets its properties and listens to its events.
//
// docs/views.md describes its properties, events, classes and functions.
//
// Earlier names stay as aliases: `shown`, `pictured`, `held`, `holds()`, `take()`, `tell()`, `begin()`, `give()`,
// and `most` of `textField()`, and `own` of `h()`.

import { h, patch } from "../core/dom.js";
import { formatNumber, t } from "../core/i18n.js";
import { image } from "../core/image.js";
import { configOf, textOf, typeKey } from "../core/types.js";

/** @import { ActivityProperties, Children, ConfigOption, EditorProperties, InputOf, Props, TextField, Values } from "../shapes.js" */

export { formatNumber, h, image, t };
export const shown = formatNumber;
export const pictured = image;

/**
 * A view's own properties are accessors that `declare` makes.
 *
 * @template Properties
 * @typedef {Omit<typeof ViewElement, "prototype"> & (new () => ViewElement & Properties)} ViewWith
 */

class ViewElement extends HTMLElement {
  /** @type {Record<string, any>} */
  #properties = {};
  #isScheduled = false;

  /** @param {string[]} names */
  static declare(...names) {
    for (const name of names) {
      Object.defineProperty(this.prototype, name, {
        /** @this {ViewElement} */
        get() {
          return this.#properties[name] ?? null;
        },
        /** @this {ViewElement} */
        set(value) {
          this.take(name, value);
        }, // views that override the earlier name go on working
      });
    }
  }

  /** @param {string[]} names */
  static holds(...names) {
    this.declare(...names);
  }

  /** @param {string} name @param {any} value */
  setProperty(name, value) {
    this.#properties[name] = value;
    this.redraw();
  }

  get held() {
    return this.#properties;
  }

  /** @param {string} name @param {any} value */
  take(name, value) {
    this.setProperty(name, value);
  }

  // Draws once after several properties were set.
  redraw() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      try {
        patch(this, /** @type {{ view: () => Children }} */ (/** @type {unknown} */ (this)).view());
      } catch (error) {
        emit(this, "failed", { error });
      }
    });
  }

  /** @param {string} name @param {unknown} detail */
  tell(name, detail) {
    emit(this, name, detail);
  }
}

/** @param {Element} view @param {string} name @param {unknown} detail */
const emit = (view, name, detail) =>
  view.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));

export class ActivityElement
  extends /** @type {ViewWith<ActivityProperties>} */ (/** @type {unknown} */ (ViewElement))
{
  // True for views that send with a single touch and need no send button.
  static isInstant = false;

  // True for views of the phone that draw the results themselves.
  static showsResults = false;

  #hasDraft = false;

  static {
    this.declare("activity", "phase", "mine", "answers", "draft", "responses", "results", "count", "ranks");
    Object.assign(this.prototype, { begin: this.prototype.updateDraft, give: this.prototype.submit });
  }

  get config() {
    return configOf(this.activity);
  }

  /**
   * Returns a text of the type's own catalog.
   *
   * @param {string} key
   * @param {Values} [values]
   */
  t(key, values) {
    return textOf(typeKey(this.activity), key, values);
  }

  get isOpen() {
    return this.phase === "open";
  }

  // The content of the inputs: the draft, else the newest response.
  get value() {
    return this.draft ?? this.mine?.response_data ?? null;
  }

  /**
   * Sets a property. A draft in progress is changed by its author alone; the page can only end it.
   *
   * @param {string} name
   * @param {any} value
   */
  setProperty(name, value) {
    if (name === "draft") {
      if (this.#hasDraft && value !== null) return;
      this.#hasDraft = false;
    }
    super.setProperty(name, value);
  }

  /**
   * Tells the page what is typed. `shownAs` is the content of the inputs, where it differs from the response.
   *
   * @param {any} response null while it cannot be sent
   * @param {boolean} [isComplete]
   * @param {any} [shownAs]
   */
  updateDraft(response, isComplete = true, shownAs = response) {
    this.#hasDraft = true;
    super.setProperty("draft", shownAs);
    emit(this, "draft", { response, isComplete });
  }

  /** @param {any} response */
  submit(response) {
    emit(this, "answer", { response });
  }
}

export class EditorElement extends /** @type {ViewWith<EditorProperties>} */ (/** @type {unknown} */ (ViewElement)) {
  static {
    this.declare("type", "config", "secret", "form");
  }

  /**
   * @param {string} key
   * @param {Values} [values]
   */
  t(key, values) {
    return textOf(this.type, key, values);
  }

  /**
   * Tells the page the new config and secret.
   *
   * @param {any} config
   * @param {any} [secret]
   */
  change(config, secret = this.secret) {
    emit(this, "change", { config, secret });
  }
}

/** @param {number} index */
export const letter = (index) => String.fromCodePoint(65 + (index % 26));

/**
 * Draws options to choose one or several of.
 *
 * @param {object} field
 * @param {string} field.legend
 * @param {ConfigOption[]} field.options
 * @param {string[]} field.chosen ids
 * @param {boolean} [field.multiple]
 * @param {boolean} [field.disabled]
 * @param {(id: string, isChosen: boolean) => void} field.onpick
 * @param {(option: ConfigOption) => Children} [field.mark] returns what follows an option after the reveal
 */
export function choices({ legend, options, chosen, multiple, disabled, onpick, mark = () => null }) {
  const keys = Math.min(options.length, 9);
  return h(
    "fieldset",
    { class: "choices", disabled, "aria-describedby": keys ? "choice-keys" : null, onkeydown: byDigit },
    h("legend", { class: "hidden-text" }, legend),
    options.map((option, index) =>
      h(
        "label",
        { class: "choice", key: option.id },
        h("input", {
          type: multiple ? "checkbox" : "radio",
          name: "choice",
          value: option.id,
          checked: chosen.includes(option.id),
          onchange: (/** @type {InputOf} */ event) => onpick(option.id, event.target.checked),
        }),
        h("span", { class: "letter", "aria-hidden": "true" }, letter(index)),
        image(option.image),
        h("span", { class: "grow", dir: "auto" }, option.text),
        mark(option),
      ),
    ),
    keys
      ? h("p", { class: "muted small by-key", id: "choice-keys", key: "keys" }, t("answer.keys", { n: keys }))
      : null,
  );
}

/**
 * Chooses an option of the focused group by the keys 1 to 9.
 *
 * @param {KeyboardEvent & { currentTarget: HTMLFieldSetElement }} event
 */
function byDigit(event) {
  const group = event.currentTarget;
  const input = group.querySelectorAll("input")[/^[1-9]$/.test(event.key) ? Number(event.key) - 1 : -1];
  if (!input || event.ctrlKey || event.metaKey || event.altKey || group.disabled) return;
  event.preventDefault();
  input.focus();
  input.click();
}

export function rightMark() {
  return h("span", { class: "mark-right" }, `✓ ${t("answer.right")}`);
}

/**
 * Draws a labelled field for text, with the number of its characters. Other properties become attributes.
 *
 * @param {TextField & Props} field
 */
export function textField({ label, value, most, maxLength = most, lines = 1, disabled, oninput, ...more }) {
  const id = `field-${label.replace(/\W+/g, "-").slice(0, 30)}`;
  return h(
    "div",
    { class: "stack-tight", key: id },
    h("label", { for: id }, label),
    h(lines > 1 ? "textarea" : "input", {
      id,
      value: value ?? "",
      maxlength: maxLength,
      rows: lines > 1 ? lines : null,
      disabled,
      dir: "auto",
      autocomplete: "off",
      oninput: (/** @type {InputOf} */ event) => oninput(event.target.value),
      ...more,
    }),
    maxLength
      ? h("p", { class: "muted small end" }, `${formatNumber((value ?? "").length)} / ${formatNumber(maxLength)}`)
      : null,
  );
}
