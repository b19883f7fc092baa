// What a phone keeps so that it can be opened again while the server is away: its page and files, and the room as it was seen last.

import { boot } from "../core/words.js";

const WORKER = "/sw.js?build=";

// Only secure origins have workers; on plain HTTP in a hall everything else works as it does with one.
export async function keepPage() {
  if (!navigator.serviceWorker) return;
  const allowed = (address) => {
    if (!address.startsWith(WORKER)) throw new TypeError(address);
    return address;
  };
  const policy = globalThis.trustedTypes?.createPolicy("conflicto", { createScriptURL: allowed }) ?? { createScriptURL: allowed };
  try {
    await navigator.serviceWorker.register(policy.createScriptURL(WORKER + boot.base.split("/").at(-1)));
    const { active } = await navigator.serviceWorker.ready;
    active.postMessage({ page: location.pathname, files: loaded() });
  } catch {
    // a browser that refuses, in a private window for one
  }
}

const loaded = () =>
  performance.getEntriesByType("resource").map((each) => new URL(each.name))
    .filter((each) => each.origin === location.origin && each.pathname.startsWith("/s/")).map((each) => each.pathname);

export const rooms = {
  last(session) {
    try {
      return JSON.parse(localStorage.getItem(`conflicto.room.${session}`) ?? "[]");
    } catch {
      return [];
    }
  },
  keep(session, items) {
    try {
      localStorage.setItem(`conflicto.room.${session}`, JSON.stringify(items));
    } catch {
      localStorage.removeItem(`conflicto.room.${session}`); // too large for this browser
    }
  },
  drop: (session) => localStorage.removeItem(`conflicto.room.${session}`),
};
