// The transfer of a seat from another phone. It asks first: the link works once, and the other phone loses the seat.

import { Client, Problem, tokens } from "../core/api.js";
import { h, patch } from "../core/dom.js";
import { loadDeferredTexts, t } from "../core/i18n.js";
import { Retry } from "../core/retry.js";
import { mayReplaceToken } from "../elements/link_token.js";

export class SeatTransfer {
  #main;
  #session;
  #secret;
  #enter;
  #startOver;
  #message = "";
  #isUsed = false;
  #retry = new Retry();

  constructor(main, session, secret, { enter, startOver }) {
    this.#main = main;
    this.#session = session;
    this.#secret = secret;
    this.#enter = enter;
    this.#startOver = startOver;
    main.replaceChildren();
  }

  open() {
    const hasSeat = tokens.get(`seat.${this.#session}`) !== null;
    patch(this.#main, [
      h("h1", {}, t("move.here_title")),
      h("p", {}, t("move.here_hint")),
      h("p", { class: "bad", role: "alert" }, this.#message),
      this.#isUsed
        ? null
        : h("button", { class: "primary", key: "redeem", onclick: () => this.#redeem() }, t("move.here")),
      hasSeat
        ? h(
            "button",
            { key: "stay", onclick: () => this.#leave(() => this.#enter(this.#session)) },
            t("move.keep_seat"),
          )
        : h("button", { key: "join", onclick: () => this.#leave(this.#startOver) }, t("move.join_new")),
    ]);
  }

  // The page shows the seat of its own session. A seat of another session needs consent.
  async #mayTake(session) {
    if (session === this.#session) return true;
    await loadDeferredTexts().catch(() => null);
    return mayReplaceToken(`seat.${session}`, "/participants/me");
  }

  #leave(to) {
    this.#retry.stop();
    to();
  }

  async #redeem() {
    this.#retry.stop();
    try {
      const seat = await new Client("none").post(
        "/seats/redeem",
        { seat_token: this.#secret },
        { required: ["participant_token", "session"] },
      );
      const session = String(seat.session.id);
      if (await this.#mayTake(session)) tokens.set(`seat.${session}`, seat.participant_token);
      this.#enter(session);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      const waitS = this.#retry.schedule(problem, () => this.#redeem());
      this.#message = waitS ? t("join.retrying", { n: waitS }) : problem.text;
      this.#isUsed = !problem.isTransient;
      this.open();
    }
  }
}

// Draws the page of the phone that lost its seat.
export function drawMoved(main, startOver) {
  main.replaceChildren();
  patch(main, [
    h("h1", {}, t("moved.title")),
    h("p", { role: "status" }, t("moved.hint")),
    h("button", { onclick: startOver }, t("moved.join_new")),
  ]);
}
