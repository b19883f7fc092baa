// Quartiles of the numbers given to each option, in the order of the options.

import { t } from "../../core/i18n.js";
import { namesOf } from "../chart_parts.js";

/** @import { ChartContext, Description, QuartilesResult } from "../../shapes.js" */

export const charts = ["bars", "table"];

/**
 * @param {QuartilesResult} result
 * @param {ChartContext} context
 * @returns {Description}
 */
export function describe({ options, answers }, context) {
  const nameOf = namesOf(context.values, context);
  return {
    caption: t("results.answers", { n: answers }),
    heads: [t("results.value"), t("results.figure")],
    rows: options.map((option) => ({
      value: option.value,
      text: nameOf(option.value),
      size: option.median ?? 0,
      figure: figureOf(option, context),
    })),
  };
}

/**
 * Returns the median with the quartiles.
 *
 * @param {QuartilesResult["options"][number]} option
 * @param {ChartContext} context
 */
function figureOf({ median, lower_quartile: low, upper_quartile: high }, { withUnit }) {
  if (median === null || low === null || high === null) return "–";
  return `${withUnit(median)} (${withUnit(low)} – ${withUnit(high)})`;
}
