// Options that were given together, the most frequent first.

import { formatNumber, t } from "../../core/i18n.js";
import { namesOf } from "../chart_parts.js";

/** @import { ChartContext, Description, PairsResult } from "../../shapes.js" */

export const charts = ["bars", "table"];

/**
 * @param {PairsResult} result
 * @param {ChartContext} context
 * @returns {Description}
 */
export function describe({ pairs, answers, truncated }, context) {
  const { values, seconds } = context;
  const firstOf = namesOf(values, context);
  const secondOf = namesOf(seconds.length ? seconds : values, context);
  return {
    caption: t("results.answers", { n: answers }),
    heads: [t("results.value"), t("results.count")],
    isOpen: truncated,
    rows: pairs.map(({ first, second, count }) => ({
      value: [first, second],
      text: `${firstOf(first)} – ${secondOf(second)}`,
      size: count,
      figure: formatNumber(count),
    })),
  };
}
