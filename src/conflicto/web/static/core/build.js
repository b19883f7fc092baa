// Detects a newer build of the server: the files of this page's build are then missing.

import { toProblem } from "./api.js";
import { boot } from "./i18n.js";

const GONE = 404;

export async function isOutdated() {
  /** @param {string} method */
  const probe = (method) => fetch(`${boot.base}/sdk/v1.js`, { method, cache: "no-store" });
  if ((await probe("HEAD")).status !== GONE) return false; // HEAD first: thousands of pages may reconnect at once
  const response = await probe("GET");
  return response.status === GONE && toProblem(GONE, Object(await response.json().catch(() => null))).isFromServer;
}
