// A cloud of words.

import { h } from "../../core/dom.js";
import { formatNumber, t } from "../../core/i18n.js";
import { accessibleTable, drawMore, isNarrow } from "../chart_parts.js";
import { layout } from "../cloud.js";

/** @import { Children, WordsResult } from "../../shapes.js" */

const MAX_WORDS = 80;

/**
 * @param {WordsResult} result
 * @returns {Children}
 */
export function draw(result) {
  const [width, height] = isNarrow() ? [600, 600] : [1_200, 560];
  const words = layout(result.words.slice(0, isNarrow() ? MAX_WORDS / 2 : MAX_WORDS), width, height);
  return [
    h(
      "svg",
      { class: "cloud", viewBox: `${-width / 2} ${-height / 2} ${width} ${height}`, "aria-hidden": "true" },
      words.map(({ word, x, y, size }, index) =>
        h(
          "text",
          {
            key: word,
            class: `s${(index % 6) + 1}`,
            x: x.toFixed(1),
            y: (y + size * 0.35).toFixed(1),
            "font-size": size.toFixed(1),
          },
          word,
        ),
      ),
    ),
    drawMore(result.words.length - words.length, result.truncated),
    accessibleTable(
      t("results.answers", { n: result.answers }),
      [t("results.word"), t("results.count")],
      result.words.map(({ word, count }) => [word, formatNumber(count)]),
    ),
  ];
}
