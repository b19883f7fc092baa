// How pages look is chosen seldom: what acts on it comes with the first menu that someone opens.

import { boot } from "./words.js";

export const looks = () => import(`${boot.base}/elements/looks.js`);

document.addEventListener("toggle", looks, { capture: true, once: true });

// A choice may be quicker than that.
document.addEventListener("change", ({ target }) => target.id.startsWith("looks-") && looks().then(({ choose }) => choose(target)));
