// What every page says of an activity alike.

import { time } from "./api.js";
import { titleOf, typeOf } from "./types.js";

// The question, which every type calls as it likes.
export const questionOf = ({ type, config, title }) => config?.[typeOf(type).headline ?? "question"] || title || titleOf(type);

// What may be done with an activity now.
export function phaseOf(activity) {
  if (activity.status === "published") return "ready";
  if (activity.status === "active" && !(activity.ends_at && time.now() >= Date.parse(activity.ends_at))) return "open";
  return activity.results_revealed ? "revealed" : "locked";
}

// Whole seconds until answering ends, or null where it has no end or does not run.
export function secondsLeft({ status, ends_at: end }) {
  return end && status === "active" ? Math.max(0, Math.ceil((Date.parse(end) - time.now()) / 1_000)) : null;
}

export const minutes = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
