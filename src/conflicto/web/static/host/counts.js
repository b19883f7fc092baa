// Counts are said only to those who want to hear them, and no more often than every three seconds: the newest one counts.

import { announce } from "../core/announce.js";
import { store } from "../core/store.js";

const COUNT_MS = 3_000;
const WISH = "conflicto.counts";

export const countsAreSaid = () => store.get(WISH) === "on";
export const sayCounts = (on) => store.set(WISH, on ? "on" : "off");

let newest = null;
let said = "";
let counting = 0;

export function announceCount(text) {
  if (!countsAreSaid()) return;
  newest = text;
  counting ||= setTimeout(() => {
    counting = 0;
    if (newest !== said) announce((said = newest));
  }, COUNT_MS);
}
