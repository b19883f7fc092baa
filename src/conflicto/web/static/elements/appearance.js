// Language, theme and text size. Choices are stored in cookies, so that the server renders the next page with them.

const MAX_AGE_S = 365 * 86_400;

/** @type {HTMLElement | null} */
const menu = document.querySelector("[data-appearance]");

/** @param {{ name: string, value: string }} control */
export function choose({ name, value }) {
  document.cookie = `${name}=${value}; Path=~/; Max-Age=${MAX_AGE_S}; SameSite=Lax`;
  if (name === "lang") return reload();
  document.documentElement.dataset[name] = value;
}

// Removes the language from the address, so that the cookie decides.
function reload() {
  const address = new URL(location.href);
  address.searchParams.delete("lang");
  history.replaceState(history.state, "", address);
  location.reload();
}

/**
 * Moves the form from the header to the place that a page provides.
 *
 * @param {Element | null} into
 */
export function placeAppearanceForm(into) {
  if (!menu || !into || into.firstChild) return;
  menu.hidden = true;
  into.append(/** @type {Element} */ (menu.querySelector("form")));
}

// Closes menus on Escape, or on a touch elsewhere.
document.addEventListener("keydown", (event) => {
  const target = /** @type {Element | Document} */ (event.target);
  /** @type {HTMLDetailsElement | null} */
  const open = event.key === "Escape" && "closest" in target ? target.closest("details.menu[open]") : null;
  if (!open) return;
  open.open = false;
  open.querySelector("summary")?.focus();
});
document.addEventListener("pointerdown", (event) => {
  /** @type {NodeListOf<HTMLDetailsElement>} */
  const menus = document.querySelectorAll("details.menu[open]");
  for (const open of menus) if (!open.contains(/** @type {Node} */ (event.target))) open.open = false;
});
