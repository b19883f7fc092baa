// Language, theme and text size. Choices are stored in cookies, so that the server renders the next page with them.

const MAX_AGE_S = 365 * 86_400;

const menu = document.querySelector("[data-looks]");

export function choose({ name, value }) {
  document.cookie = `${name}=${value}; Path=~/; Max-Age=${MAX_AGE_S}; SameSite=Lax`;
  if (name === "lang") return reload();
  document.documentElement.dataset[name] = value;
}

// Removes the language from the address, so that the cookie decides.
function reload() {
  const address = new URL(location);
  address.searchParams.delete("lang");
  history.replaceState(history.state, "", address);
  location.reload();
}

// Moves the form from the header to the place that a page provides.
export function placeAppearanceForm(into) {
  if (!menu || !into || into.firstChild) return;
  menu.hidden = true;
  into.append(menu.querySelector("form"));
}

// Closes menus on Escape, or on a touch elsewhere.
document.addEventListener("keydown", (event) => {
  const open = event.key === "Escape" && event.target.closest?.("details.menu[open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});
document.addEventListener("pointerdown", (event) => {
  for (const open of document.querySelectorAll("details.menu[open]"))
    if (!open.contains(event.target)) open.open = false;
});
