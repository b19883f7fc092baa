// The number of correct responses.

import { h } from "../../core/dom.js";
import { t } from "../../core/i18n.js";

/** @import { Description, ScoreResult } from "../../shapes.js" */

export const charts = ["figure"];

/** @typedef {ScoreResult & { correct: number }} Score after the reveal */

/** @param {Score} result */
const textOf = ({ correct: n, answers: all }) => t("results.correct", { n, all });

/** @param {Score} result @returns {Description} */
export const describe = (result) => ({ caption: textOf(result), heads: [], rows: [] });

export const pictures = {
  /** @param {Description} _ @param {Score} result */
  figure: (_, result) => h("p", { class: "strong" }, textOf(result)),
};
