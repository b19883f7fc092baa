// Announcements for screen readers: each change of the session, once.

import { phaseOf, questionOf } from "../core/activity.js";
import { TimeAnnouncer, announce } from "../core/announce.js";
import { t } from "../core/i18n.js";

const PHASE_TEXTS = { ready: "state.ready", locked: "state.locked", revealed: "state.revealed" };

export class Announcements {
  #timeAnnouncer = new TimeAnnouncer();
  #slot = null;
  #phase = null;
  #hasJoined = false;

  // Call this with every drawing and every second.
  update({ fold, activity, slot, me }) {
    if (!fold.session) return;
    if (!activity && me && !this.#hasJoined)
      announce(t(fold.session.status === "draft" ? "state.waiting" : "state.between"));
    this.#hasJoined ||= Boolean(me);
    this.#timeAnnouncer.tick(activity);
    const phase = activity && phaseOf(activity);
    if (slot !== this.#slot && activity) announce(`${t("activity.new")}: ${questionOf(activity)}`);
    if (phase !== this.#phase && PHASE_TEXTS[phase]) announce(t(PHASE_TEXTS[phase]));
    this.#slot = slot ?? this.#slot;
    this.#phase = phase;
  }
}
