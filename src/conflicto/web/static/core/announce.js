// Announcements for screen readers, in one polite live region.

import { minutes, secondsLeft } from "./activity.js";
import { time as clock } from "./api.js";
import { t } from "./i18n.js";

/** @import { Activity } from "../shapes.js" */

const BATCH_MS = 150; // announcements within this time are joined, so that none interrupts another
const REPEAT_MS = 3_000;

/** @type {string[]} */
let waiting = [];
let timer = 0;
let last = { text: "", at: 0 };

/** @param {string} text */
export function announce(text) {
  if (text === last.text && Date.now() - last.at < REPEAT_MS) return;
  last = { text, at: Date.now() };
  waiting.push(text);
  timer ||= setTimeout(() => {
    const region = document.getElementById("announce");
    if (region) region.textContent = waiting.join(" ");
    waiting = [];
    timer = 0;
  }, BATCH_MS);
}

const THRESHOLDS_S = [30, 10, 0];

// Announces an activity's time at its start, at half, at 30 s, at 10 s and at its end. Call `tick` every second.
export class TimeAnnouncer {
  #deadlineKey = "";
  /** @type {number[]} */
  #thresholds = [];

  /** @param {Activity | null} activity */
  tick(activity) {
    const left = activity ? secondsLeft(activity) : null;
    if (!activity || left === null) return this.#end(activity);
    const deadlineKey = `${activity.id} ${activity.round} ${activity.ends_at}`;
    if (deadlineKey !== this.#deadlineKey) {
      const whole = Math.max(left, activity.duration_seconds ?? 0);
      this.#thresholds = [...new Set([Math.floor(whole / 2), ...THRESHOLDS_S])]
        .filter((mark) => mark < left)
        .sort((a, b) => b - a);
      this.#deadlineKey = deadlineKey;
      if (left > 0) announce(time(left));
      return;
    }
    const passed = this.#thresholds.filter((mark) => left <= mark);
    if (!passed.length) return;
    this.#thresholds = this.#thresholds.filter((mark) => left > mark);
    announce(time(left));
  }

  /**
   * Does not announce the end of an activity that a host closed early.
   *
   * @param {Activity | null} activity
   */
  #end(activity) {
    if (
      this.#thresholds.includes(0) &&
      activity?.ends_at &&
      this.#deadlineKey.startsWith(`${activity.id} ${activity.round} `) &&
      Date.parse(activity.ends_at) <= clock.now() + 1_000
    )
      announce(t("time.over"));
    this.#thresholds = [];
    this.#deadlineKey = "";
  }
}

/** @param {number} left */
function time(left) {
  if (left === 0) return t("time.over");
  return left < 120 ? t("time.left", { n: left }) : t("time.left_minutes", { time: minutes(left) });
}
