// A channel between tabs with pages of the same seat.

import { storage } from "./storage.js";

/**
 * Returns a function that sends a message to other tabs. `onMessage` receives theirs.
 *
 * @template {object} Message
 * @param {string} name
 * @param {(message: Message) => void} onMessage
 * @returns {(message: Message) => void}
 */
export function openTabChannel(name, onMessage) {
  if (globalThis.BroadcastChannel) {
    const channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }) => onMessage(data);
    return (message) => channel.postMessage(message);
  }
  addEventListener("storage", ({ key, newValue }) => key === name && newValue && onMessage(JSON.parse(newValue)));
  return (message) => storage.set(name, JSON.stringify({ ...message, at: Date.now() }));
}
