// Files of another build have other addresses: when one of this page's is gone, the server has a newer page.

import { toProblem } from "./api.js";
import { boot } from "./i18n.js";

const GONE = 404;

export async function isOutdated() {
  const probe = (method) => fetch(`${boot.base}/core.js`, { method, cache: "no-store" });
  if ((await probe("HEAD")).status !== GONE) return false; // a hall that connects anew does not download the file
  const response = await probe("GET");
  return response.status === GONE && toProblem(GONE, Object(await response.json().catch(() => null))).isFromServer;
}
