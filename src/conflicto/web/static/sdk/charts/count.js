// Counted values, in the order of the config.

import { formatNumber, t } from "../../core/i18n.js";
import { keyOf, namesOf, normalized } from "../chart_parts.js";

/** @import { ChartContext, CountResult, Description } from "../../shapes.js" */

export const charts = ["bars", "cloud", "table"];

/**
 * Lists the values of the config in order, then others as received.
 *
 * @param {CountResult} result
 * @param {ChartContext} context
 * @returns {Description}
 */
export function describe(result, context) {
  const sizes = new Map(result.values.map(({ value, count }) => [keyOf(value), count]));
  const all = result.values.reduce((sum, { count }) => sum + count, 0) + (result.others ?? 0);
  const nameOf = namesOf(context.values, context);
  const ordered = new Map([...context.values, ...result.values].map(({ value }) => [keyOf(value), normalized(value)]));
  return {
    caption: t("results.answers", { n: result.answers }),
    heads: [t("results.value"), t("results.count")],
    isOpen: result.truncated,
    rows: [...ordered].map(([key, value]) => {
      const size = sizes.get(key) ?? 0;
      return {
        value,
        text: nameOf(value),
        size,
        figure: `${formatNumber(size)} · ${formatNumber(all ? Math.round((size / all) * 100) : 0)} %`,
        isRight: value === normalized(context.right),
        isMine: isMine(context.mine, value),
      };
    }),
  };
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
