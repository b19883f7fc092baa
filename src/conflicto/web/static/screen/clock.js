// The server's time for pages that send no sign of life: none of them counts down by its own clock.

import { time } from "../core/api.js";

const SYNC_MS = 60_000;
const FAILED_MS = 5_000;

// Asks now, every minute, and when the page is seen or connected again: its own clock may have been set meanwhile.
export function syncClock(client, session) {
  let timer = 0;
  const sync = async () => {
    clearTimeout(timer);
    const began = Date.now();
    const response = await client.post(`/sessions/${session}/clock`, undefined).catch(() => null);
    time.sync(response?.server_time, began);
    timer = setTimeout(sync, response ? SYNC_MS : FAILED_MS);
  };
  addEventListener("online", sync);
  addEventListener("pageshow", sync);
  document.addEventListener("visibilitychange", () => document.hidden || sync());
  sync();
}
