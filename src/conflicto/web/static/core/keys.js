// Keys of a page: one table, of which the help shows what acts now. Single keys rest while someone types, and can be switched off.

const NAME = "conflicto.keys";

export const keysAreOn = () => localStorage.getItem(NAME) !== "off";
export const switchKeys = (on) => localStorage.setItem(NAME, on ? "on" : "off");

// bindings: [{keys: [" ", "Enter"], shown: "Space", does: "word key", act, works: () => boolean}]
export function listen(bindings) {
  document.addEventListener("keydown", (event) => {
    if (!keysAreOn() || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const within = event.target.closest?.("input, textarea, select, dialog[open], [contenteditable]");
    const onButton = event.target.closest?.("button, a, summary") && [" ", "Enter"].includes(event.key);
    if (within || onButton) return;
    const found = bindings.find((each) => each.keys.includes(event.key) || each.keys.includes(event.key.toLowerCase()));
    if (!found?.works()) return;
    event.preventDefault();
    found.act();
  });
}
