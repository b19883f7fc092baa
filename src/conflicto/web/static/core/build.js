// Detects a newer build of the server: it serves the files of this page's build with a header, or not any more.

import { toProblem } from "./api.js";
import { boot } from "./i18n.js";

const GONE = 404;

export async function isOutdated() {
  /** @param {string} method */
  const probe = (method) => fetch(`${boot.base}/sdk/v1.js`, { method, cache: "no-store" });
  const { status, headers } = await probe("HEAD"); // HEAD first: thousands of pages may reconnect at once
  if (status !== GONE) return headers.has("conflicto-build");
  const response = await probe("GET");
  return response.status === GONE && toProblem(GONE, Object(await response.json().catch(() => null))).isFromServer;
}
