// The server's time for pages that send no sign of life: none of them counts down by its own clock.

import { time } from "../core/api.js";

const AGAIN_MS = 60_000;
const FAILED_MS = 5_000;

// Asks now, every minute, and when the page is seen or connected again: its own clock may have been set meanwhile.
export function keepTime(caller, session) {
  let timer = 0;
  const ask = async () => {
    clearTimeout(timer);
    const began = Date.now();
    const said = await caller.post(`/sessions/${session}/clock`, undefined).catch(() => null);
    time.learn(said?.server_time, began);
    timer = setTimeout(ask, said ? AGAIN_MS : FAILED_MS);
  };
  addEventListener("online", ask);
  addEventListener("pageshow", ask);
  document.addEventListener("visibilitychange", () => document.hidden || ask());
  ask();
}
