// Keys of a page: one table, of which the help shows what acts now. Single keys rest while someone types, and can be switched off.

import { storage } from "../core/storage.js";

const NAME = "conflicto.keys";

export const areKeysEnabled = () => storage.get(NAME) !== "off";
export const enableKeys = (on) => storage.set(NAME, on ? "on" : "off");

// commands: [{keys: [" ", "Shift+t", "Ctrl+z"], works: () => boolean, act: (key) => …}]. While one is on its way, the next press is none:
// it was meant for what was seen.
export function listen(commands, isBusy = () => false) {
  document.addEventListener("keydown", (event) => {
    const name = nameOf(event);
    if (!name || event.repeat) return;
    const within = event.target.closest?.("input, textarea, select, dialog[open], [contenteditable]");
    const onButton = event.target.closest?.("button, a, summary") && [" ", "Enter"].includes(event.key);
    if (within || onButton) return;
    const found = commands.find((each) => each.keys.includes(name) && each.isAvailable());
    if (!found) return;
    event.preventDefault();
    if (!isBusy()) found.act(event.key);
  });
}

// A letter is the same in either case, unless Shift is held; of keys with modifiers only Ctrl+Z is ours. Null: not one of ours.
function nameOf({ key, ctrlKey, metaKey, altKey, shiftKey }) {
  if (ctrlKey || metaKey || altKey) return key.toLowerCase() === "z" && !altKey && !shiftKey ? "Ctrl+z" : null;
  if (!areKeysEnabled()) return null;
  return /^[a-z]$/i.test(key) ? (shiftKey ? "Shift+" : "") + key.toLowerCase() : key;
}
