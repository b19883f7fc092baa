// The number of correct responses.

import { h } from "../../core/dom.js";
import { t } from "../../core/i18n.js";

/** @import { ScoreResult } from "../../shapes.js" */

/** @param {ScoreResult & { correct: number }} result after the reveal */
export function draw(result) {
  return h("p", { class: "strong" }, t("results.correct", { n: result.correct, all: result.answers }));
}
