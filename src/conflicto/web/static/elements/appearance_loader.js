// Loads the appearance form's code with the first menu that opens.

export const loadAppearance = () => import("./appearance.js");

// A choice may precede the load.
export function enableAppearance() {
  document.addEventListener("toggle", loadAppearance, { capture: true, once: true });
  document.addEventListener(
    "change",
    ({ target }) => target.id.startsWith("looks-") && loadAppearance().then(({ choose }) => choose(target)),
  );
}
