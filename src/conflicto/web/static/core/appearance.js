// How pages look is chosen seldom: what acts on it comes with the first menu that someone opens.

import { boot } from "./i18n.js";

export const loadAppearance = () => import(`${boot.base}/elements/appearance.js`);

document.addEventListener("toggle", loadAppearance, { capture: true, once: true });

// A choice may be quicker than that.
document.addEventListener("change", ({ target }) => target.id.startsWith("looks-") && loadAppearance().then(({ choose }) => choose(target)));
