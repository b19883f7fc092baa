// Bars of the numbers given to each option, by their means, in the order of the options.

import { formatNumber, t } from "../../core/i18n.js";
import { asText, bars, labelsOf } from "../chart_parts.js";

/** @import { AmountsResult, ChartContext } from "../../shapes.js" */

/**
 * @param {AmountsResult} result
 * @param {ChartContext} context
 */
export function draw({ options, answers }, { values, most }) {
  const labels = labelsOf(values);
  return bars(
    options.map(({ value, mean, share }) => ({
      value,
      text: labels.get(asText(value)),
      size: mean ?? 0,
      figure: figureOf(mean, share),
    })),
    { most, caption: t("results.answers", { n: answers }) },
    ({ figure }) => figure ?? "",
  );
}

/**
 * @param {number | null} mean
 * @param {number | null} share
 */
function figureOf(mean, share) {
  if (mean === null) return "–";
  const part = share === null ? "" : ` · ${formatNumber(Math.round(share * 100))} %`;
  return `Ø ${formatNumber(mean)}${part}`;
}
