// What every page says of an activity alike.

import { time } from "./api.js";

export const questionOf = ({ config, title }) => config?.question ?? config?.prompt ?? config?.story ?? title ?? "";

// Whole seconds until answering ends, or null where it has no end or does not run.
export function secondsLeft({ status, ends_at: end }) {
  return end && status === "active" ? Math.max(0, Math.ceil((Date.parse(end) - time.now()) / 1_000)) : null;
}

export const minutes = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
