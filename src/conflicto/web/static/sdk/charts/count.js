// Bars of counted values, in the order of the config.

import { formatNumber, t } from "../../core/i18n.js";
import { bars, normalized } from "../chart_parts.js";

/** @import { ChartContext, CountResult, Value } from "../../shapes.js" */

/**
 * @param {CountResult} result
 * @param {ChartContext} context
 */
export function draw(result, { values: known, mine, right, most }) {
  const values = known.map((each) => ({ ...each, value: normalized(each.value) }));
  const sizes = new Map(result.values.map(({ value, count }) => [value, count]));
  const all = result.values.reduce((sum, { count }) => sum + count, 0) + (result.others ?? 0);
  const rows = inOrder(values, [...sizes.keys()]).map(({ value, text }) => ({
    value,
    text,
    size: sizes.get(value) ?? 0,
    isRight: value === normalized(right),
    isMine: isMine(mine, value),
  }));
  return bars(
    rows,
    { most, isOpen: result.truncated, caption: t("results.answers", { n: result.answers }) },
    ({ size }) => `${formatNumber(size)} · ${formatNumber(all ? Math.round((size / all) * 100) : 0)} %`,
  );
}

/**
 * Returns the values of the config in order, then others as received.
 *
 * @param {Value[]} values
 * @param {any[]} sizes
 * @returns {Value[]}
 */
function inOrder(values, sizes) {
  const others = sizes.filter((value) => !values.some((each) => each.value === value)).map((value) => ({ value }));
  return [...values, ...others];
}

/**
 * @param {any} mine
 * @param {any} value
 */
function isMine(mine, value) {
  return Object.values(mine ?? {}).some((each) =>
    (Array.isArray(each) ? each : [each]).map(normalized).includes(value),
  );
}
