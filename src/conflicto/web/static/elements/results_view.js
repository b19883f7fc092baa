// The results of an activity on every page: the type's own view of results, or else its declared charts.

import { h } from "../core/dom.js";
import { typeKey, typeOf } from "../core/types.js";
import { drawLeaderboard, drawResults, drawTables } from "../sdk/results.js";
import { viewOf } from "./views.js";

/** @import { Activity, Children, ParticipantResponse, Phase, Results } from "../shapes.js" */
/** @import { DrawingOptions } from "../sdk/results.js" */

/** @typedef {DrawingOptions & { phase: Phase, hasOwnView?: boolean, responses?: ParticipantResponse[], count?: number, redraw: () => void }} Shows */

const VIEW = "results";
/** @type {Set<string>} */
const broken = new Set(); // slots whose own view failed
/** @type {Map<string, () => void>} */
const redraws = new Map(); // by slot

// An own view that fails gives way to the charts.
document.addEventListener(
  "failed",
  ({ target }) => {
    const slot = target instanceof HTMLElement && target.matches(".own-results") && target.dataset.slot;
    if (!slot) return;
    broken.add(slot);
    redraws.get(slot)?.();
  },
  true,
);

/** @param {Activity} activity */
export const hasResultsView = (activity) => typeOf(typeKey(activity)).views.includes(VIEW);

/**
 * Draws the visible results of a round. Beside an own view stands a hidden table of the same names and figures.
 *
 * @param {Results | null | undefined} results
 * @param {Activity} activity
 * @param {Shows} shows
 * @returns {Children}
 */
export function drawRound(
  results,
  activity,
  { phase, hasOwnView = true, responses = [], count = 0, redraw, ...options },
) {
  const slot = `${activity.id} ${activity.round}`;
  const key = typeKey(activity);
  const isOwn = hasOwnView && hasResultsView(activity) && !broken.has(slot) && Object.keys(results ?? {}).length;
  const tag = isOwn ? viewOf(key, VIEW, redraw) : "failed";
  if (tag === "failed") return drawResults(results, activity, options);
  if (!tag) return null;
  redraws.set(slot, redraw);
  return [
    h(tag, {
      key: `own ${slot}`,
      unmanaged: true,
      class: "own-results",
      "data-slot": slot,
      ".activity": activity,
      ".phase": phase,
      ".results": results,
      ".responses": responses,
      ".count": count,
    }),
    drawTables(results, activity, options),
  ];
}

export { drawLeaderboard };
