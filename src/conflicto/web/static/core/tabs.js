// Pages of one seat in several tabs of a browser: what one of them does, the others hear at once.

import { storage } from "./storage.js";

// Returns what tells the others; heard(message): what one of them told.
export function openTabChannel(name, onMessage) {
  if (globalThis.BroadcastChannel) {
    const channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }) => onMessage(data);
    return (message) => channel.postMessage(message);
  }
  addEventListener("storage", ({ key, newValue }) => key === name && newValue && onMessage(JSON.parse(newValue)));
  return (message) => storage.set(name, JSON.stringify({ ...message, at: Date.now() }));
}
