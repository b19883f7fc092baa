// Synchronizes the clock of pages without heartbeats with the server. Countdowns use the server's time.

import { time } from "../core/api.js";

const SYNC_MS = 60_000;
const FAILED_MS = 5_000;

// Synchronizes now, every minute, and when the page is visible or online again, because device clocks change.
export function syncClock(client, session) {
  let timer = 0;
  const sync = async () => {
    clearTimeout(timer);
    const began = Date.now();
    const response = await client.send("POST", `/sessions/${session}/clock`).catch(() => null);
    time.sync(response?.server_time, began);
    timer = setTimeout(sync, response ? SYNC_MS : FAILED_MS);
  };
  addEventListener("online", sync);
  addEventListener("pageshow", sync);
  document.addEventListener("visibilitychange", () => document.hidden || sync());
  void sync();
}
