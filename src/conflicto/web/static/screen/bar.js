// The bar of a screen: visible for a moment after a move of the pointer, or with the keyboard's focus.

import { h, patch } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { listen } from "./keys.js";

const SHOWN_MS = 3_000;
const HINT_MS = 8_000;

export class Bar {
  remote = null;
  isOutdated = false; // shown in the bar, not on the stage
  /** @type {HTMLElement} */
  #place = document.querySelector("[data-bar]");
  #tools = document.querySelector("[data-bar] [data-tools]");
  #timer = 0;

  constructor() {
    for (const kind of ["pointermove", "pointerdown", "focusin"]) document.addEventListener(kind, () => this.#wake());
  }

  // Handles the keys of a window without a host's token.
  listen() {
    listen([{ keys: ["f"], isAvailable: () => document.fullscreenEnabled, act: fullScreen }]);
    this.draw();
  }

  // Shows a hint for a few seconds, at the start.
  hint(text) {
    const place = document.querySelector("[data-hint]");
    place.textContent = text;
    setTimeout(() => (place.textContent = ""), HINT_MS);
  }

  #wake() {
    this.#place.dataset.awake = "";
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#place.matches(":focus-within") || delete this.#place.dataset.awake, SHOWN_MS);
  }

  draw() {
    patch(this.#tools, [
      this.remote?.help() ?? null,
      this.isOutdated
        ? h(
            "p",
            { class: "banner plain", key: "updated" },
            t("state.updated"),
            h("button", { type: "button", onclick: () => location.reload() }, t("state.reload")),
          )
        : null,
      h(
        "div",
        { class: "row wrap", key: "buttons" },
        this.remote?.bar() ?? h("button", { type: "button", key: "full", onclick: fullScreen }, t("screen.full")),
      ),
    ]);
  }
}

function fullScreen() {
  const change = document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
  change.catch(() => null); // the browser may refuse, for example without a click
}
