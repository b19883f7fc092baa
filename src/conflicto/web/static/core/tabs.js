// Pages of one seat in several tabs of a browser: what one of them does, the others hear at once.

import { store } from "./store.js";

// Returns what tells the others; heard(message): what one of them told.
export function tabs(name, heard) {
  if (globalThis.BroadcastChannel) {
    const channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }) => heard(data);
    return (message) => channel.postMessage(message);
  }
  addEventListener("storage", ({ key, newValue }) => key === name && newValue && heard(JSON.parse(newValue)));
  return (message) => store.set(name, JSON.stringify({ ...message, at: Date.now() }));
}
