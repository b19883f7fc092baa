// Votes for a response minus votes against it.

import { formatNumber, t } from "../../core/i18n.js";

/** @import { ChartContext, Description, VotesResult } from "../../shapes.js" */

export const charts = ["bars", "table"];

/** @param {VotesResult} result */
export const votesIn = ({ targets }) => targets.reduce((sum, { up, down }) => sum + up + down, 0);

/**
 * @param {VotesResult} result
 * @param {ChartContext} context
 * @returns {Description}
 */
export function describe(result, { texts }) {
  return {
    caption: t("results.votes", { n: votesIn(result) }),
    heads: [t("results.value"), t("results.figure")],
    isOpen: result.truncated,
    rows: result.targets
      .filter(({ target }) => texts.size === 0 || texts.has(target))
      .map(({ target, up, down }) => ({
        value: target,
        text: texts.get(target) ?? target,
        size: up - down,
        figure: `▲ ${formatNumber(up - down)}`,
      })),
  };
}
