// What the views of an activity type may use. A view is an element: the page sets its properties, and it sends events.
//
// Of phone and screen: activity, phase (ready | open | locked | revealed | closed), results, responses (what others said, where that is
// open). Of the phone: mine (the newest answer of one's own in this round, or null), answers (all of them), draft (what was begun and not
// sent), pending. Of the screen: count (how many answered), ranks (the leaderboard, where it may be shown).
// Events: `draft` while someone is at it (detail.response is null while it cannot be sent), `answer` for what is to be sent at once.
//
// Of the editor: type, config, secret, form (draws the generated form). Event: `change` with the config and secret as they are to be.

import { h, patch } from "../core/dom.js";
import { configOf, textOf } from "../core/types.js";
import { pictured } from "../core/pictured.js";
import { shown, t } from "../core/words.js";

export { h, shown, t };

class ViewElement extends HTMLElement {
  held = {};
  #waiting = false;

  static holds(...names) {
    for (const name of names) {
      Object.defineProperty(this.prototype, name, {
        get() { return this.held[name] ?? null; },
        set(value) { this.take(name, value); },
      });
    }
  }

  take(name, value) {
    this.held[name] = value;
    this.redraw();
  }

  // Several properties are set in one go and drawn once.
  redraw() {
    if (this.#waiting) return;
    this.#waiting = true;
    queueMicrotask(() => {
      this.#waiting = false;
      try {
        patch(this, this.view());
      } catch (error) {
        this.tell("failed", { error });
      }
    });
  }

  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

export class ActivityElement extends ViewElement {
  // Views that send with a single touch say so, and get no button for sending.
  static isInstant = false;

  // Views of the phone that show what was counted say so, and nothing is drawn below them.
  static showsResults = false;

  #begun = false;

  static {
    this.holds("activity", "phase", "mine", "answers", "draft", "responses", "results", "pending", "count", "ranks");
  }

  get config() {
    return configOf(this.activity);
  }

  // A text of the type's own catalog.
  t(key, values) {
    return textOf(this.activity.type, key, values);
  }

  get isOpen() {
    return this.phase === "open";
  }

  // What the inputs show: what was begun, else what was answered.
  get value() {
    return this.draft ?? this.mine?.response_data ?? null;
  }

  // What someone is at stays as they see it; only its end is heard of from outside.
  take(name, value) {
    if (name === "draft") {
      if (this.#begun && value !== null) return;
      this.#begun = false;
    }
    super.take(name, value);
  }

  // `shownAs` is what the inputs go on showing, where that differs from what would be sent.
  begin(response, isComplete = true, shownAs = response) {
    this.#begun = true;
    this.held.draft = shownAs;
    this.tell("draft", { response, isComplete });
    this.redraw();
  }

  give(response) {
    this.tell("answer", { response });
  }
}

export class EditorElement extends ViewElement {
  static {
    this.holds("type", "config", "secret", "form");
  }

  t(key, values) {
    return textOf(this.type, key, values);
  }

  change(config, secret = this.secret) {
    this.tell("change", { config, secret });
  }
}

export const letter = (index) => String.fromCharCode(65 + (index % 26));

// Options to pick one or several of; `mark(option)` says what stands behind one after the reveal.
export function choices({ legend, options, chosen, multiple, disabled, onpick, mark = () => null }) {
  const keys = Math.min(options.length, 9);
  return h("fieldset", { class: "choices", disabled, "aria-describedby": keys ? "choice-keys" : null, onkeydown: byDigit },
    h("legend", { class: "hidden-text" }, legend),
    options.map((option, index) =>
      h("label", { class: "choice", key: option.id },
        h("input", {
          type: multiple ? "checkbox" : "radio", name: "choice", value: option.id, checked: chosen.includes(option.id),
          onchange: (event) => onpick(option.id, event.target.checked),
        }),
        h("span", { class: "letter", "aria-hidden": "true" }, letter(index)),
        pictured(option.image),
        h("span", { class: "grow", dir: "auto" }, option.text),
        mark(option))),
    keys ? h("p", { class: "muted small by-key", id: "choice-keys", key: "keys" }, t("answer.keys", { n: keys })) : null);
}

// 1 to 9 choose within the group that someone is in, and nowhere else.
function byDigit(event) {
  const input = event.currentTarget.querySelectorAll("input")[/^[1-9]$/.test(event.key) ? event.key - 1 : -1];
  if (!input || event.ctrlKey || event.metaKey || event.altKey || event.currentTarget.disabled) return;
  event.preventDefault();
  input.focus();
  input.click();
}

export { pictured };

export function rightMark() {
  return h("span", { class: "mark-right" }, `✓ ${t("answer.right")}`);
}

export function textField({ label, value, most, lines = 1, disabled, oninput, ...more }) {
  const id = `field-${label.replace(/\W+/g, "-").slice(0, 30)}`;
  return h("div", { class: "stack-tight", key: id },
    h("label", { for: id }, label),
    h(lines > 1 ? "textarea" : "input", {
      id, value: value ?? "", maxlength: most, rows: lines > 1 ? lines : null, disabled, dir: "auto", autocomplete: "off",
      oninput: (event) => oninput(event.target.value), ...more,
    }),
    most ? h("p", { class: "muted small end" }, `${shown((value ?? "").length)} / ${shown(most)}`) : null);
}
