// A seat arrives from another phone: asked first, because the link works once and the other phone loses the seat.

import { Again } from "../core/again.js";
import { Caller, Problem, tokens } from "../core/api.js";
import { h, patch } from "../core/dom.js";
import { t, wordsForLater } from "../core/words.js";
import { mayReplace } from "../elements/handover.js";

export class Arrival {
  #main; #session; #secret; #enter; #elsewhere;
  #said = "";
  #isUsed = false;
  #again = new Again();

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
        ? h("button", { key: "stay", onclick: () => this.#gone(() => this.#enter(this.#session)) }, t("arrival.stay"))
        : h("button", { key: "door", onclick: () => this.#gone(this.#elsewhere) }, t("arrival.door")),
    ]);
  }

  // The page told of the seat in its own session; of one in another session nothing was said.
  async #mayTake(session) {
    if (session === this.#session) return true;
    await wordsForLater().catch(() => null);
    return mayReplace(`seat.${session}`, "/participants/me");
  }

  #gone(to) {
    this.#again.stop();
    to();
  }

  async #take() {
    this.#again.stop();
    try {
      const seat = await new Caller("none").post("/seats/redeem", { seat_token: this.#secret }, { has: ["participant_token", "session"] });
      const session = String(seat.session.id);
      if (await this.#mayTake(session)) tokens.set(`seat.${session}`, seat.participant_token);
      this.#enter(session);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      const waitS = this.#again.after(problem, () => this.#take());
      this.#said = waitS ? t("join.waits", { n: waitS }) : problem.text;
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
