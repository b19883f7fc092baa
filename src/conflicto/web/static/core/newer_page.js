// Loads the newest page at a quiet moment: hidden, or unused for a while, with nothing typed and no dialog open. Hosts and
// screens are few, so this is no rush for the server. Phones wait for the next activity (`phone/newer_build.js`).

import { tokens } from "./api.js";
import { isOutdated } from "./build.js";
import { boot } from "./i18n.js";
import { tabStorage } from "./storage.js";

const QUIET_MS = 60_000;
const LOOK_MS = 5_000;
const CHECK_MS = 300_000; // a page without a feed asks this often
const MARK = `moved ${boot.base}`; // once for each build: another server may still have the same one

let usedAt = Date.now();
let isTyped = false; // until it is sent, or its dialog is closed

const use = () => {
  usedAt = Date.now();
};
const forget = () => {
  isTyped = false;
};
for (const kind of ["pointerdown", "pointermove", "keydown", "wheel"])
  addEventListener(kind, use, { capture: true, passive: true });
addEventListener("input", () => (isTyped = true), true);
for (const kind of ["submit", "close"]) addEventListener(kind, forget, true);

/** @type {(() => boolean) | null} */
let isQuiet = null;

/**
 * Loads the newest page once `isNowQuiet` says so and nobody uses the page.
 *
 * @param {() => boolean} isNowQuiet
 */
export function moveOnWhenQuiet(isNowQuiet) {
  if (isQuiet || !tokens.arePersistent || tabStorage.get(MARK)) return;
  isQuiet = isNowQuiet;
  document.addEventListener("visibilitychange", () => void attempt());
  look();
}

/**
 * Does the same on a page without a feed, which asks by itself whether it is outdated.
 *
 * @param {() => boolean} isNowQuiet
 */
export function watchForNewerPage(isNowQuiet) {
  const check = () =>
    isOutdated().then(
      (is) => is && moveOnWhenQuiet(isNowQuiet),
      () => null,
    ); // offline
  document.addEventListener("visibilitychange", () => void check());
  const again = () => setTimeout(() => void check().then(again), CHECK_MS);
  again();
}

function look() {
  setTimeout(() => void attempt().then(look), LOOK_MS);
}

const canLeave = () =>
  (document.hidden || Date.now() - usedAt >= QUIET_MS) &&
  !isTyped &&
  !document.fullscreenElement && // a reload would end it in front of the room
  !document.querySelector("dialog[open]") &&
  Boolean(isQuiet?.());

// The new page must be there before this one goes.
async function attempt() {
  if (!canLeave()) return;
  const response = await fetch(location.pathname, { method: "HEAD", cache: "no-store" }).catch(() => null);
  if (response?.ok && canLeave() && !tabStorage.get(MARK) && tabStorage.set(MARK, "1")) location.reload();
}
