// What a phone says of its room to those who listen: what changed since the last picture, once.

import { phaseOf, questionOf } from "../core/activity.js";
import { TimeTeller, announce } from "../core/announce.js";
import { t } from "../core/words.js";

const OF_PHASE = { ready: "state.ready", locked: "state.locked", revealed: "state.revealed" };

export class Spoken {
  #teller = new TimeTeller();
  #slot = null;
  #phase = null;
  #isIn = false;

  // To be called with every picture and every second.
  tell({ fold, activity, slot, me }) {
    if (!fold.session) return;
    if (!activity && me && !this.#isIn) announce(t(fold.session.status === "draft" ? "state.waiting" : "state.between"));
    this.#isIn ||= Boolean(me);
    this.#teller.tick(activity);
    const phase = activity && phaseOf(activity);
    if (slot !== this.#slot && activity) announce(`${t("activity.new")}: ${questionOf(activity)}`);
    if (phase !== this.#phase && OF_PHASE[phase]) announce(t(OF_PHASE[phase]));
    this.#slot = slot ?? this.#slot;
    this.#phase = phase;
  }
}
