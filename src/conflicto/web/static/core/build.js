// Files of another build have other addresses: when one of this page's is gone, the server has a newer page.

import { refusal } from "./api.js";
import { boot } from "./words.js";

const GONE = 404;

export async function isOutdated() {
  const answer = await fetch(`${boot.base}/core.js`, { cache: "no-store" });
  return answer.status === GONE && refusal(GONE, Object(await answer.json().catch(() => null))).isOurs;
}
