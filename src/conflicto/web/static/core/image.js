// Images by URL, only from origins that the server allows.

import { h } from "./dom.js";
import { boot } from "./i18n.js";

export function image(address) {
  const origin = address && URL.canParse(address) ? new URL(address).origin : null;
  if (!boot.image_origins.includes(origin)) return null;
  return h("img", { class: "picture", src: address, alt: "", loading: "lazy", referrerpolicy: "no-referrer" });
}
