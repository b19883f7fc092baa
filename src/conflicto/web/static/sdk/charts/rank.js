// Bars of ranked options, the best first.

import { formatNumber, t } from "../../core/i18n.js";
import { asText, bars, normalized } from "../chart_parts.js";

/** @import { ChartContext, RankResult } from "../../shapes.js" */

/**
 * @param {RankResult} result
 * @param {ChartContext} context
 */
export function draw(result, { values, most }) {
  const texts = new Map(values.map(({ value, text }) => [normalized(value), text]));
  return bars(
    result.ranking.map(({ value, points }, index) => ({
      value,
      text: `${formatNumber(index + 1)}. ${texts.get(value) ?? asText(value)}`,
      size: points,
    })),
    { most, isOpen: result.truncated, caption: t("results.answers", { n: result.answers }) },
    ({ size }) => t("results.points", { n: size }),
  );
}
