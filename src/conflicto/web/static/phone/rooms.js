// The room as it was seen last, kept so that the phone can be opened again while the server is away.

import { store } from "../core/store.js";

// A list that was kept, [] if none can be read.
export function listed(name) {
  try {
    return JSON.parse(store.get(name) ?? "[]");
  } catch {
    return [];
  }
}

export const rooms = {
  last: (session) => listed(`conflicto.room.${session}`),
  keep(session, items) {
    const name = `conflicto.room.${session}`;
    if (!store.set(name, JSON.stringify(items))) store.drop(name); // too large for this browser
  },
  drop: (session) => ["room", "refused"].forEach((each) => store.drop(`conflicto.${each}.${session}`)),
};
