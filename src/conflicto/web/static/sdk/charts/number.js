// A histogram of numbers, with their mean.

import { h } from "../../core/dom.js";
import { formatCompact, formatNumber, t } from "../../core/i18n.js";
import { accessibleTable, drawRows, isNarrow } from "../chart_parts.js";

/** @import { Bin, ChartContext, Children, Description, NumberResult } from "../../shapes.js" */

/** @typedef {{ [Name in keyof NumberResult]: NonNullable<NumberResult[Name]> }} Numbers of at least one response */

export const charts = ["histogram", "figure", "table"];

/**
 * @param {Numbers} result
 * @param {ChartContext} context
 * @returns {Description}
 */
export function describe({ histogram: bins, answers }, { withUnit }) {
  return {
    caption: t("results.answers", { n: answers }),
    heads: [t("results.range"), t("results.count")],
    rows: bins.map(({ from, to, count }) => ({
      value: [from, to],
      text: from === to ? withUnit(from) : `${formatNumber(from)} – ${withUnit(to)}`,
      size: count,
      figure: formatNumber(count),
    })),
  };
}

/**
 * @param {Numbers} result
 * @param {ChartContext} context
 */
function drawMean({ mean, min, max, answers: n }, { withUnit }) {
  const words = { mean: withUnit(mean), min: withUnit(min), max: withUnit(max), n };
  return h(
    "p",
    { class: "mean" },
    h("span", { class: "figure", dir: "auto", "aria-hidden": "true" }, `Ø ${withUnit(mean)}`),
    h("span", { class: "muted" }, t("results.number", words)),
  );
}

/**
 * @param {Numbers} result
 * @param {any} right the correct number
 */
function drawHistogram({ histogram: bins }, right) {
  const most = Math.max(1, ...bins.map(({ count }) => count));
  const span = isNarrow() ? 216 : 400; // an image that is not scaled down keeps its font size
  const [from, to] = [bins[0].from, /** @type {Bin} */ (bins.at(-1)).to];
  const width = Math.min(90, span / bins.length);
  const start = (span - width * bins.length) / 2;
  const every = Math.ceil(bins.length / 5);
  const at =
    typeof right === "number" && to > from ? start + ((right - from) / (to - from)) * width * bins.length : null;
  const isSeen = at !== null && at >= 0 && at <= span;
  return h(
    "svg",
    { class: "histogram", key: "bins", viewBox: `-20 -8 ${span + 40} 196`, "aria-hidden": "true" },
    bins.map((bin, index) => [
      h("rect", {
        key: `r${index}`,
        x: start + index * width + 2,
        y: 160 - (bin.count / most) * 140,
        width: Math.max(1, width - 4),
        height: (bin.count / most) * 140,
        rx: 3,
      }),
      bin.count
        ? h(
            "text",
            { key: `c${index}`, x: start + (index + 0.5) * width, y: 154 - (bin.count / most) * 140 },
            formatNumber(bin.count),
          )
        : null,
      index % every === 0
        ? h(
            "text",
            {
              key: `t${index}`,
              class: "axis",
              x: start + index * width + (bins.length === 1 ? width / 2 : 0),
              y: 180,
            },
            formatCompact(bin.from),
          )
        : null,
    ]),
    bins.length > 1
      ? h("text", { key: "end", class: "axis", x: start + bins.length * width, y: 180 }, formatCompact(to))
      : null,
    isSeen ? h("path", { key: "right", class: "right", d: `M${at} 4V160` }) : null,
    isSeen ? h("text", { key: "right-text", class: "right-text", x: at, y: 0 }, `✓ ${formatNumber(right)}`) : null,
  );
}

export const pictures = {
  /**
   * Draws a histogram with the mean. A scale of few integers has a chart of counts, so it needs no histogram.
   *
   * @param {Description} description
   * @param {Numbers} result
   * @param {ChartContext} context
   * @returns {Children}
   */
  histogram: (description, result, context) => [
    context.values.length && !context.chart
      ? null
      : [drawHistogram(result, context.right), accessibleTable(description)],
    drawMean(result, context),
  ],
  /** @param {Description} _ @param {Numbers} result @param {ChartContext} context */
  figure: (_, result, context) => drawMean(result, context),
  /** @param {Description} description @param {Numbers} result @param {ChartContext} context */
  table: (description, result, context) => [drawRows(description, context, false), drawMean(result, context)],
};
