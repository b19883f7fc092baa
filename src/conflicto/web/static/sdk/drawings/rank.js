// Bars of ranked options, the best first.

import { shown, t } from "../../core/words.js";
import { bars, composed, worded } from "../parts.js";

export function draw(result, { values, most }) {
  const texts = new Map(values.map(({ value, text }) => [composed(value), text]));
  return bars(result.ranking.map(({ value, points }, index) => ({ value, text: `${shown(index + 1)}. ${texts.get(value) ?? worded(value)}`, size: points })), { most, isOpen: result.truncated, caption: t("results.answers", { n: result.answers }) }, ({ size }) => t("results.points", { n: size }));
}
