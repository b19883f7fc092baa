// Numbers given to each option, in the order of the options.

import { formatNumber, t } from "../../core/i18n.js";
import { namesOf } from "../chart_parts.js";

/** @import { AmountsResult, ChartContext, Description } from "../../shapes.js" */

export const charts = ["bars", "table"];

/**
 * @param {AmountsResult} result
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
      size: option[context.figure ?? "mean"] ?? 0,
      figure: figureOf(option, context),
    })),
  };
}

/** @param {number} share */
const percent = (share) => `${formatNumber(Math.round(share * 100))} %`;

/**
 * @param {AmountsResult["options"][number]} option
 * @param {ChartContext} context
 */
function figureOf({ mean, share, sum }, { figure, withUnit }) {
  if (mean === null) return "–";
  if (figure === "sum") return withUnit(sum ?? 0);
  if (figure === "share") return share === null ? "–" : percent(share);
  const average = `Ø ${withUnit(mean)}`;
  return share === null || figure === "mean" ? average : `${average} · ${percent(share)}`;
}
