// Words by frequency.

import { formatNumber, t } from "../../core/i18n.js";

/** @import { Description, WordsResult } from "../../shapes.js" */

export const charts = ["cloud", "bars", "table"];

/** @param {WordsResult} result @returns {Description} */
export const describe = ({ words, answers, truncated }) => ({
  caption: t("results.answers", { n: answers }),
  heads: [t("results.word"), t("results.count")],
  isOpen: truncated,
  rows: words.map(({ word, count }) => ({ value: word, text: word, size: count, figure: formatNumber(count) })),
});
