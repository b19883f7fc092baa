// A phone whose page, or whose server, lacks the version of an activity's type.

import { phaseOf } from "../core/activity.js";
import { tabStorage } from "../core/storage.js";
import { isUnavailable } from "../core/types.js";

// Loads the newest page when an activity begins whose type this page does not know, once for each round. Drafts and the
// outbox outlive the reload.
export function moveOn({ isOutdated, activity, slot, outbox }) {
  const mark = `moved ${slot}`;
  if (!isOutdated || !activity || !isUnavailable(activity) || tabStorage.get(mark)) return;
  if (outbox?.entries.length && !outbox.isPersistent) return;
  tabStorage.set(mark, "1");
  location.reload();
}

// Returns the phase of an activity. One whose type is not known takes no responses.
export function shownPhase(activity) {
  const phase = activity && phaseOf(activity);
  return phase === "open" && isUnavailable(activity) ? "locked" : phase;
}
