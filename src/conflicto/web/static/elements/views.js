// Finds the element that shows an activity type, and gives it a tag of its own.

import { typeOf } from "../core/types.js";
import { boot, wordsForLater } from "../core/words.js";

const found = new Map();

// Returns the tag, or null while it is fetched; `ready` is called when it has arrived. A view that cannot be had gives way to the opaque one.
export function viewOf(type, view, ready) {
  const has = typeOf(type).views.includes(view);
  const address = `${boot.base}/${has ? ["types", type, view].join("/") : "elements/opaque"}.js`;
  const tag = has ? `act-${type}-${view}` : "act-opaque";
  if (!found.has(tag)) {
    found.set(tag, null);
    Promise.all([import(address), has || wordsForLater()])
      .then(([module]) => (customElements.define(tag, module.default), found.set(tag, tag)))
      .catch(() => found.set(tag, "failed"))
      .finally(ready);
  }
  return found.get(tag);
}
