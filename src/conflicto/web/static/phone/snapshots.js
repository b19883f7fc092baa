// The last known state of a session, stored so that the page opens without a connection.

import { storage } from "../core/storage.js";

// Returns a stored list, or [].
export function readList(name) {
  try {
    return JSON.parse(storage.get(name) ?? "[]");
  } catch {
    return [];
  }
}

export const snapshots = {
  load: (session) => readList(`conflicto.room.${session}`),
  save(session, items) {
    const name = `conflicto.room.${session}`;
    if (!storage.set(name, JSON.stringify(items))) storage.remove(name); // too large for this browser
  },
  remove: (session) => ["room", "refused"].forEach((each) => storage.remove(`conflicto.${each}.${session}`)),
};
