// A box between the quartiles of numbers, a line at their median, and whiskers to both ends.

import { h } from "../../core/dom.js";
import { formatCompact, formatNumber, t } from "../../core/i18n.js";
import { accessibleTable, isNarrow } from "../chart_parts.js";

/** @import { Children, MedianResult } from "../../shapes.js" */

/**
 * @param {{ [Name in keyof MedianResult]: NonNullable<MedianResult[Name]> }} result of at least one number
 * @returns {Children}
 */
export function draw({ answers, min, lower_quartile: low, median, upper_quartile: high, max, percentiles }) {
  const span = isNarrow() ? 216 : 400;
  /** @param {number} value */
  const at = (value) => (max > min ? ((value - min) / (max - min)) * span : span / 2);
  const line = { stroke: "currentColor", "stroke-width": 2, fill: "none" };
  /** @param {number} value @param {string} key */
  const end = (value, key) => h("text", { key, class: "axis", x: at(value), y: 104 }, formatCompact(value));
  return [
    h(
      "svg",
      { class: "histogram", viewBox: `-30 0 ${span + 60} 110`, "aria-hidden": "true" },
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
    ),
    h(
      "p",
      { class: "mean" },
      h("span", { class: "figure", "aria-hidden": "true" }, formatNumber(median)),
      h("span", { class: "muted" }, t("results.median", { median, low, high, n: answers })),
    ),
    accessibleTable(
      t("results.answers", { n: answers }),
      [t("results.below"), t("results.value")],
      [
        ...[min, low, median, high, max].map((value, quarters) => ({ percent: 25 * quarters, value })),
        ...percentiles.filter(({ percent }) => percent % 25),
      ]
        .sort((one, other) => one.percent - other.percent)
        .map(({ percent, value }) => [`${formatNumber(percent)} %`, formatNumber(value ?? median)]),
    ),
  ];
}
