// Loads the appearance form's code with the first menu that opens.

import { boot } from "./i18n.js";

export const loadAppearance = () => import(`${boot.base}/elements/appearance.js`);

document.addEventListener("toggle", loadAppearance, { capture: true, once: true });

// A choice may precede the load.
document.addEventListener(
  "change",
  ({ target }) => target.id.startsWith("looks-") && loadAppearance().then(({ choose }) => choose(target)),
);
