// Language, theme and size of text: what a reader chooses is kept in cookies, so that the server sends the next page as it is wanted.

const KEPT_S = 365 * 86_400;

const menu = document.querySelector("[data-looks]");

export function choose({ name, value }) {
  document.cookie = `${name}=${value}; Path=~/; Max-Age=${KEPT_S}; SameSite=Lax`;
  if (name === "lang") return again();
  document.documentElement.dataset[name] = value;
}

// What the address asked for was for once; from now on the cookie decides.
function again() {
  const address = new URL(location);
  address.searchParams.delete("lang");
  history.replaceState(history.state, "", address);
  location.reload();
}

// Brings the form to where a page wants it, out of the header.
export function placeLooks(into) {
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
