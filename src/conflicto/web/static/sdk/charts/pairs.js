// Bars of options that were given together, the most frequent first.

import { formatNumber, t } from "../../core/i18n.js";
import { asText, bars, labelsOf } from "../chart_parts.js";

/** @import { ChartContext, PairsResult } from "../../shapes.js" */

/**
 * @param {PairsResult} result
 * @param {ChartContext} context
 */
export function draw({ pairs, answers, truncated }, { values, seconds, most }) {
  const firsts = labelsOf(values);
  const others = seconds.length ? labelsOf(seconds) : firsts;
  return bars(
    pairs.map(({ first, second, count }) => ({
      value: [first, second],
      text: `${firsts.get(asText(first)) ?? asText(first)} – ${others.get(asText(second)) ?? asText(second)}`,
      size: count,
    })),
    { most, isOpen: truncated, caption: t("results.answers", { n: answers }) },
    ({ size }) => formatNumber(size),
  );
}
