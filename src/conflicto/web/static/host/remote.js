// Controls of a session on its screen, in a browser with a host's token: buttons in the bar, and keys.

import { questionOf } from "../core/activity.js";
import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { areKeysEnabled, enableKeys, listen } from "../screen/keys.js";
import { commandsOf, drawButtons, drawKeys } from "./commands.js";
import { SessionControl } from "./session_control.js";

export class Remote {
  #control;
  #commands;
  #draw;
  #isHelping = false;

  constructor(client, id, draw) {
    this.#draw = draw;
    this.#control = new SessionControl(client, id, draw);
    this.#commands = commandsOf(this.#control, { help: () => this.#help(!this.#isHelping) });
  }

  async open() {
    listen(this.#commands, () => this.#control.isBusy);
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.#isHelping && this.#help(false));
    await this.#control.open();
  }

  #help(on) {
    this.#isHelping = on;
    this.#draw();
  }

  // Draws the controls of the bar.
  bar() {
    if (!this.#control.session) return null;
    const { session, step, message, undo, activities } = this.#control;
    const isActive = session.status === "active";
    return [
      h(
        "button",
        {
          type: "button",
          class: "primary",
          key: "step",
          disabled: !step.act || this.#control.isOffline,
          onclick: step.act,
          title: "␣",
        },
        t(`step.${step.name}`, step),
      ),
      drawButtons(this.#commands, step.name),
      undo ? h("button", { type: "button", class: "primary", key: "undo", onclick: undo.act }, t("key.undo")) : null,
      isActive ? activities.slice(0, 9).map((each, at) => this.#jump(each, at + 1)) : null,
      h(
        "button",
        {
          type: "button",
          class: "square",
          key: "help",
          "aria-label": t("key.title"),
          "aria-expanded": String(this.#isHelping),
          onclick: () => this.#help(!this.#isHelping),
        },
        "?",
      ),
      message ? h("p", { class: "bad", role: "alert", key: "message" }, message) : null,
    ];
  }

  #jump(activity, number) {
    const words = `${number}: ${questionOf(activity)}`;
    return h(
      "button",
      {
        type: "button",
        class: "square",
        key: `jump ${number}`,
        "aria-label": words,
        onclick: () => this.#control.jump(number),
      },
      String(number),
    );
  }

  help() {
    if (!this.#isHelping) return null;
    return h(
      "section",
      { class: "key-list", key: "help", "aria-label": t("key.title") },
      h("h2", {}, t("key.title")),
      drawKeys(this.#commands),
      h(
        "label",
        { class: "row check" },
        h("input", {
          type: "checkbox",
          checked: areKeysEnabled(),
          onchange: (event) => enableKeys(event.target.checked),
        }),
        t("key.on"),
      ),
    );
  }
}
