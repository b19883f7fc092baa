// Keyboard shortcuts of a page. Single keys do nothing in text fields, and can be disabled.

import { storage } from "../core/storage.js";

const NAME = "conflicto.keys";

export const areKeysEnabled = () => storage.get(NAME) !== "off";
export const enableKeys = (on) => storage.set(NAME, on ? "on" : "off");

// commands: [{keys: [" ", "Shift+t", "Ctrl+z"], isAvailable: () => boolean, act: (key) => …}]. A key press during a
// running command is ignored.
export function listen(commands, isBusy = () => false) {
  document.addEventListener("keydown", (event) => {
    const name = nameOf(event);
    if (!name || event.repeat) return;
    const target = event.target instanceof Element ? event.target : document.body;
    const within = target.closest("input, textarea, select, dialog[open], [contenteditable]");
    const onButton = target.closest("button, a, summary") && [" ", "Enter"].includes(event.key);
    if (within || onButton) return;
    const found = commands.find((each) => each.keys.includes(name) && each.isAvailable());
    if (!found) return;
    event.preventDefault();
    if (!isBusy()) found.act(event.key);
  });
}

// Returns the name of a shortcut, or null. Letters ignore case; Ctrl+Z is the only one with a modifier besides Shift.
function nameOf({ key, ctrlKey, metaKey, altKey, shiftKey }) {
  if (ctrlKey || metaKey || altKey) return key.toLowerCase() === "z" && !altKey && !shiftKey ? "Ctrl+z" : null;
  if (!areKeysEnabled()) return null;
  return /^[a-z]$/i.test(key) ? (shiftKey ? "Shift+" : "") + key.toLowerCase() : key;
}
