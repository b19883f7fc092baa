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
  const tag = hasView ? `act-${type}-${view}` : "act-opaque";
  if (!found.has(tag)) {
    found.set(tag, null);
    (hasView ? load(type, view, ready) : loadOpaque())
      .then((loaded) => {
        customElements.define(tag, loaded);
        if (!(document.createElement(tag) instanceof loaded)) throw new TypeError("the constructor failed");
        found.set(tag, tag);
      })
      .catch((error) => {
        found.set(tag, "failed");
        void report(type, view, error);
      })
      .finally(ready);
  }
  return found.get(tag) ?? null;
}

/**
 * Returns the class of a type's own view: views that do not come with the program run in frames.
 *
 * @param {string} type
 * @param {string} view
 * @param {() => void} ready
 * @returns {Promise<CustomElementConstructor>}
 */
async function load(type, view, ready) {
  if (typeOf(type).framed) return (await import("./framed_view.js")).framedView(type, view, ready);
  return guarded(type, view, (await import(`${boot.base}/types/${type}/${view}.js`)).default);
}

/**
 * Returns a view in the page whose faults end it alone. A `failed` event tells the page, wherever it throws.
 *
 * @param {string} type
 * @param {string} view
 * @param {any} View
 * @returns {CustomElementConstructor}
 */
const guarded = (type, view, View) =>
  /** @type {any} */ (
    class extends View {
      constructor() {
        super();
        this.addEventListener("failed", (/** @type {CustomEvent} */ { detail }) => report(type, view, detail?.error));
      }

      connectedCallback() {
        try {
          super.connectedCallback?.();
        } catch (error) {
          const failed = new CustomEvent("failed", { detail: { error }, bubbles: true });
          queueMicrotask(() => this.dispatchEvent(failed)); // the page is drawing
        }
      }
    }
  );

/**
 * @param {string} type
 * @param {string} view
 * @param {unknown} error
 */
async function report(type, view, error) {
  const { faultOf, reportFault } = await import("./faults.js");
  reportFault({ type, view, ...faultOf(error, `${view}.js`) });
}

async function loadOpaque() {
  const [module] = await Promise.all([import(`${boot.base}/elements/opaque.js`), loadDeferredTexts()]);
  return module.default;
}

/**
 * Returns the class of a view that is loaded.
 *
 * @param {string | null} tag
 * @returns {ViewClass | undefined}
 */
export const viewClass = (tag) => customElements.get(tag ?? "");
