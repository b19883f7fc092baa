// Ranked options, the best first.

import { formatNumber, t } from "../../core/i18n.js";
import { namesOf } from "../chart_parts.js";

/** @import { ChartContext, Description, RankResult } from "../../shapes.js" */

export const charts = ["bars", "table"];

/**
 * @param {RankResult} result
 * @param {ChartContext} context
 * @returns {Description}
 */
export function describe(result, context) {
  const nameOf = namesOf(context.values, context);
  return {
    caption: t("results.answers", { n: result.answers }),
    heads: [t("results.value"), t("results.figure")],
    isOpen: result.truncated,
    rows: result.ranking.map(({ value, points }, index) => ({
      value,
      text: `${formatNumber(index + 1)}. ${nameOf(value)}`,
      size: points,
      figure: t("results.points", { n: points }),
    })),
  };
}
