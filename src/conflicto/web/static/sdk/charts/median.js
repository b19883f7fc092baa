// Quartiles of numbers. The chart is a box between the quartiles of numbers, a line at their median, and whiskers to both ends.

import { h } from "../../core/dom.js";
import { formatCompact, formatNumber, t } from "../../core/i18n.js";
import { accessibleTable, drawRows, isNarrow } from "../chart_parts.js";

/** @import { ChartContext, Children, Description, MedianResult } from "../../shapes.js" */

/** @typedef {{ [Name in keyof MedianResult]: NonNullable<MedianResult[Name]> }} Quartiles of at least one number */

export const charts = ["box", "figure", "table"];

/**
 * @param {Quartiles} result
 * @param {ChartContext} context
 * @returns {Description}
 */
export function describe(result, { withUnit }) {
  const { answers, min, lower_quartile: low, median, upper_quartile: high, max, percentiles } = result;
  const quarters = [min, low, median, high, max].map((value, index) => ({ percent: 25 * index, value }));
  return {
    caption: t("results.answers", { n: answers }),
    heads: [t("results.below"), t("results.value")],
    rows: [...quarters, ...percentiles.filter(({ percent }) => percent % 25)]
      .sort((one, other) => one.percent - other.percent)
      .map(({ percent, value }) => ({
        value: percent,
        text: `${formatNumber(percent)} %`,
        size: value ?? median,
        figure: withUnit(value ?? median),
      })),
  };
}

/**
 * @param {Quartiles} result
 * @param {ChartContext} context
 */
function drawFigure({ answers: n, median, lower_quartile: low, upper_quartile: high }, { withUnit }) {
  const words = { median: withUnit(median), low: withUnit(low), high: withUnit(high), n };
  return h(
    "p",
    { class: "mean" },
    h("span", { class: "figure", dir: "auto", "aria-hidden": "true" }, withUnit(median)),
    h("span", { class: "muted" }, t("results.median", words)),
  );
}

/**
 * @param {Quartiles} result
 * @returns {Children}
 */
function drawBox({ min, lower_quartile: low, median, upper_quartile: high, max, percentiles }) {
  const span = isNarrow() ? 216 : 400;
  /** @param {number} value */
  const at = (value) => (max > min ? ((value - min) / (max - min)) * span : span / 2);
  const line = { stroke: "currentColor", "stroke-width": 2, fill: "none" };
  /** @param {number} value @param {string} key */
  const end = (value, key) => h("text", { key, class: "axis", x: at(value), y: 104 }, formatCompact(value));
  return h(
    "svg",
    { class: "histogram", key: "box", viewBox: `-30 0 ${span + 60} 110`, "aria-hidden": "true" },
    h("path", {
      ...line,
      key: "whiskers",
      d: `M${at(min)} 40v30M${at(min)} 55H${at(low)}M${at(high)} 55H${at(max)}M${at(max)} 40v30`,
    }),
    h("rect", { key: "box", x: at(low), y: 30, width: Math.max(1, at(high) - at(low)), height: 50, rx: 3 }),
    percentiles.map(({ percent, value }) =>
      h("path", { ...line, key: `p${percent}`, d: `M${at(value ?? median)} 46v18` }),
    ),
    h("path", { ...line, key: "median", "stroke-width": 4, d: `M${at(median)} 24v62` }),
    end(min, "min"),
    max > min ? end(max, "max") : null,
  );
}

export const pictures = {
  /** @param {Description} description @param {Quartiles} result @param {ChartContext} context */
  box: (description, result, context) => [drawBox(result), drawFigure(result, context), accessibleTable(description)],
  /** @param {Description} description @param {Quartiles} result @param {ChartContext} context */
  figure: (description, result, context) => [drawFigure(result, context), accessibleTable(description)],
  /** @param {Description} description @param {Quartiles} result @param {ChartContext} context */
  table: (description, result, context) => [drawFigure(result, context), drawRows(description, context, false)],
};
