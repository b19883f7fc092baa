// A seat arrives from another phone: asked first, because the link works once and the other phone loses the seat.

import { Caller, Problem, tokens } from "../core/api.js";
import { h, patch } from "../core/dom.js";
import { t } from "../core/words.js";

export class Arrival {
  #main; #session; #secret; #enter; #elsewhere;
  #said = "";
  #isUsed = false;

  constructor(main, session, secret, { enter, elsewhere }) {
    this.#main = main;
    this.#session = session;
    this.#secret = secret;
    this.#enter = enter;
    this.#elsewhere = elsewhere;
    main.replaceChildren();
  }

  open() {
    const hasSeat = tokens.get(`seat.${this.#session}`) !== null;
    patch(this.#main, [
      h("h1", {}, t("arrival.title")),
      h("p", {}, t("arrival.what")),
      h("p", { class: "bad", role: "alert" }, this.#said),
      this.#isUsed ? null : h("button", { class: "primary", key: "take", onclick: () => this.#take() }, t("arrival.take")),
      hasSeat
        ? h("button", { key: "stay", onclick: () => this.#enter(this.#session) }, t("arrival.stay"))
        : h("button", { key: "door", onclick: this.#elsewhere }, t("arrival.door")),
    ]);
  }

  async #take() {
    try {
      const seat = await new Caller("none").post("/seats/redeem", { seat_token: this.#secret });
      tokens.set(`seat.${seat.session.id}`, seat.participant_token);
      this.#enter(String(seat.session.id));
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      this.#said = problem.text;
      this.#isUsed = !problem.passes;
      this.open();
    }
  }
}

// What the other phone shows from then on.
export function drawMoved(main, elsewhere) {
  main.replaceChildren();
  patch(main, [
    h("h1", {}, t("moved.title")),
    h("p", { role: "status" }, t("moved.what")),
    h("button", { onclick: elsewhere }, t("moved.door")),
  ]);
}
