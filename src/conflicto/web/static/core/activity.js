// Facts about an activity that all pages share.

import { time } from "./api.js";
import { h } from "./dom.js";
import { titleOf, typeKey, typeOf } from "./types.js";

/** @import { ActivityLike, Phase, Props } from "../shapes.js" */

const LATE_S = 10;

/**
 * Returns the question. Each type names its property.
 *
 * @param {ActivityLike} activity
 * @returns {string}
 */
export const questionOf = (activity) =>
  activity.config?.[typeOf(typeKey(activity)).headline ?? "question"] || activity.title || titleOf(activity.type);

/**
 * @param {Partial<ActivityLike>} activity
 * @returns {Phase}
 */
export function phaseOf(activity) {
  if (activity.status === "published") return "ready";
  if (activity.status === "active" && !(activity.ends_at && time.now() >= Date.parse(activity.ends_at))) return "open";
  return activity.results_revealed ? "revealed" : "locked";
}

/**
 * Returns whether the server shows the results to others than hosts. A request for hidden ones would be refused.
 *
 * @param {Partial<ActivityLike>} activity
 * @param {boolean} [hasAnswered] this participant, in this round
 */
export function areResultsVisible(
  { results_visibility: visibility, results_revealed: isRevealed },
  hasAnswered = false,
) {
  if (visibility === "host") return false;
  return isRevealed || visibility === "always" || (hasAnswered && visibility === "after_answer");
}

/**
 * Returns whole seconds until the end of answering, or null without a running timer.
 *
 * @param {Partial<ActivityLike>} activity
 */
export function secondsLeft({ status, ends_at: end }) {
  return end && status === "active" ? Math.max(0, Math.ceil((Date.parse(end) - time.now()) / 1_000)) : null;
}

/**
 * Draws the remaining time as digits and as a ring, or null without a running timer.
 *
 * @param {ActivityLike} activity
 */
export function drawTimer(activity) {
  const left = secondsLeft(activity);
  if (left === null) return null;
  const share = left / Math.max(left, activity.duration_seconds ?? 0, 1);
  /** @param {Props} more */
  const ring = (more) => h("circle", { cx: 12, cy: 12, r: 9, pathLength: 100, ...more });
  return h(
    "p",
    { class: left <= LATE_S ? "timer late" : "timer", key: "timer", role: "timer" },
    h(
      "svg",
      { viewBox: "0 0 24 24", "aria-hidden": "true" },
      ring({ key: "whole" }),
      ring({ key: "left", class: "left", "stroke-dasharray": `${(share * 100).toFixed(1)} 100` }),
    ),
    minutes(left),
  );
}

/** @param {number} seconds */
export const minutes = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
