// Bars of votes: votes for a response minus votes against it.

import { formatNumber, t } from "../../core/i18n.js";
import { bars } from "../chart_parts.js";

/** @import { ChartContext, VotesResult } from "../../shapes.js" */

/** @param {VotesResult} result */
export const votesIn = ({ targets }) => targets.reduce((sum, { up, down }) => sum + up + down, 0);

/**
 * @param {VotesResult} result
 * @param {ChartContext} context
 */
export function draw(result, { texts, most }) {
  const rows = result.targets
    .filter(({ target }) => texts.size === 0 || texts.has(target))
    .map(({ target, up, down }) => ({ value: target, text: texts.get(target), size: up - down }));
  return bars(
    rows,
    { most, isOpen: result.truncated, caption: t("results.votes", { n: votesIn(result) }) },
    ({ size }) => `▲ ${formatNumber(size)}`,
  );
}
