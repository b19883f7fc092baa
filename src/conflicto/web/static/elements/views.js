// Finds the element that shows an activity type, and gives it a tag of its own.

import { boot, loadDeferredTexts } from "../core/i18n.js";
import { typeOf } from "../core/types.js";

const found = new Map();

// Returns the tag, or null while it is fetched; `ready` is called when it has arrived. A view that cannot be had gives way to the opaque one.
export function viewOf(type, view, ready) {
  const hasView = typeOf(type).views.includes(view);
  const address = `${boot.base}/${hasView ? ["types", type, view].join("/") : "elements/opaque"}.js`;
  const tag = hasView ? `act-${type}-${view}` : "act-opaque";
  if (!found.has(tag)) {
    found.set(tag, null);
    Promise.all([import(address), hasView || loadDeferredTexts()])
      .then(([module]) => (customElements.define(tag, module.default), found.set(tag, tag)))
      .catch(() => found.set(tag, "failed"))
      .finally(ready);
  }
  return found.get(tag);
}
