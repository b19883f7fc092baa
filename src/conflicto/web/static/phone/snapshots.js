// The room as it was seen last, kept so that the phone can be opened again while the server is away.

import { storage } from "../core/storage.js";

// A list that was kept, [] if none can be read.
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
