// A phone whose page is of an earlier build than the server.

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
