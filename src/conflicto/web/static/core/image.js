// Images by URL, only from origins that the server allows.

import { h } from "./dom.js";
import { boot } from "./i18n.js";

/** @param {string | null} [address] */
export function image(address) {
  if (!address || !URL.canParse(address) || !boot.image_origins.includes(new URL(address).origin)) return null;
  return h("img", { class: "picture", src: address, alt: "", loading: "lazy", referrerpolicy: "no-referrer" });
}
