// Announces counts to screen readers, if enabled: the newest one, at most every three seconds.

import { announce } from "../core/announce.js";
import { storage } from "../core/storage.js";

const COUNT_MS = 3_000;
const STORAGE_NAME = "conflicto.counts";

export const areCountsAnnounced = () => storage.get(STORAGE_NAME) === "on";
export const setCountsAnnounced = (on) => storage.set(STORAGE_NAME, on ? "on" : "off");

let newest = null;
let message = "";
let counting = 0;

export function announceCount(text) {
  if (!areCountsAnnounced()) return;
  newest = text;
  counting ||= setTimeout(() => {
    counting = 0;
    if (newest !== message) announce((message = newest));
  }, COUNT_MS);
}
