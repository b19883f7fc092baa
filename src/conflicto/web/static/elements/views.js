// Loads the view of an activity type and registers it as a custom element.

import { boot, loadDeferredTexts } from "../core/i18n.js";
import { typeOf } from "../core/types.js";

/** @import { ViewClass } from "../shapes.js" */

/** @type {Map<string, string | null>} */
const found = new Map();

/**
 * Returns the tag, null while it loads, or "failed". Types without a view get the opaque one.
 *
 * @param {string} type
 * @param {string} view
 * @param {() => void} ready is called when the view has loaded
 */
export function viewOf(type, view, ready) {
  const hasView = typeOf(type).views.includes(view);
  const address = `${boot.base}/${hasView ? ["types", type, view].join("/") : "elements/opaque"}.js`;
  const tag = hasView ? `act-${type}-${view}` : "act-opaque";
  if (!found.has(tag)) {
    found.set(tag, null);
    Promise.all([import(address), hasView || loadDeferredTexts()])
      .then(([module]) => {
        customElements.define(tag, module.default);
        found.set(tag, tag);
      })
      .catch(() => found.set(tag, "failed"))
      .finally(ready);
  }
  return found.get(tag) ?? null;
}

/**
 * Returns the class of a view that is loaded.
 *
 * @param {string | null} tag
 * @returns {ViewClass | undefined}
 */
export const viewClass = (tag) => customElements.get(tag ?? "");
