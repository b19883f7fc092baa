// Data of types that a host installed for one session. Pages fetch it when an activity of such a type arrives.

import { boot } from "./i18n.js";
import { typeKey } from "./types.js";

/** @import { ActivityLike } from "../shapes.js" */

const MAX_WAIT_MS = 10_000;
const OF_PARTICIPANTS = new Set(["participant", "screen"]);

/** @param {any} data of an activity or of anything else */
export const isUnknown = (data) => data?.type_version?.startsWith("x") && typeKey(data) === "";

/**
 * Fetches the data of the types that this page does not know yet. Without them an activity is locked.
 *
 * @param {ActivityLike[]} activities
 */
export async function learnTypes(activities) {
  const keys = activities.filter(isUnknown).map(({ type, type_version: version }) => `${type}.${version}`);
  await Promise.all([...new Set(keys)].map(learn));
}

/** @param {string} key */
async function learn(key) {
  const kind = OF_PARTICIPANTS.has(document.documentElement.dataset.page ?? "") ? "page" : "host";
  const address = `${boot.base}/types/${key}/${kind}.${boot.locale.split("-")[0]}.json`;
  const answer = await fetch(address, { signal: AbortSignal.timeout(MAX_WAIT_MS) }).catch(() => null);
  const data = answer?.ok ? await answer.json().catch(() => null) : null;
  if (data) boot.versions = { ...boot.versions, [key]: data };
}
