// Files of another build have other addresses: when one of this page's is gone, the server has a newer page.

import { refusal } from "./api.js";
import { boot } from "./words.js";

const GONE = 404;

export async function isOutdated() {
  const ask = (method) => fetch(`${boot.base}/core.js`, { method, cache: "no-store" });
  if ((await ask("HEAD")).status !== GONE) return false; // a hall that connects anew does not download the file
  const answer = await ask("GET");
  return answer.status === GONE && refusal(GONE, Object(await answer.json().catch(() => null))).isOurs;
}
