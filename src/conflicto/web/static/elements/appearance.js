// Language, theme and size of text: what a reader chooses is kept in cookies, so that the server sends the next page as it is wanted.

const MAX_AGE_S = 365 * 86_400;

const menu = document.querySelector("[data-looks]");

export function choose({ name, value }) {
  document.cookie = `${name}=${value}; Path=~/; Max-Age=${MAX_AGE_S}; SameSite=Lax`;
  if (name === "lang") return reload();
  document.documentElement.dataset[name] = value;
}

// What the address asked for was for once; from now on the cookie decides.
function reload() {
  const address = new URL(location);
  address.searchParams.delete("lang");
  history.replaceState(history.state, "", address);
  location.reload();
}

// Brings the form to where a page wants it, out of the header.
export function placeAppearanceForm(into) {
  if (!menu || !into || into.firstChild) return;
  menu.hidden = true;
  into.append(menu.querySelector("form"));
}

// A menu closes as people expect: by Escape, or by a touch elsewhere.
document.addEventListener("keydown", (event) => {
  const open = event.key === "Escape" && event.target.closest?.("details.menu[open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});
document.addEventListener("pointerdown", (event) => {
  for (const open of document.querySelectorAll("details.menu[open]")) if (!open.contains(event.target)) open.open = false;
});
