// Loads the appearance form's code with the first menu that opens.

export const loadAppearance = () => import("./appearance.js");

// A choice may precede the load.
export function enableAppearance() {
  document.addEventListener("toggle", loadAppearance, { capture: true, once: true });
  document.addEventListener(
    "change",
    ({ target }) => isChoice(target) && loadAppearance().then(({ choose }) => choose(target)),
  );
}

/**
 * @param {EventTarget | null} target
 * @returns {target is HTMLSelectElement}
 */
const isChoice = (target) => /** @type {Element} */ (target).id.startsWith("appearance-");
