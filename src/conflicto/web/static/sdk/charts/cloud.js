// A cloud of the names of rows.

import { h } from "../../core/dom.js";
import { accessibleTable, drawMore, isNarrow } from "../chart_parts.js";
import { layout } from "../cloud.js";

/** @import { Children, Description } from "../../shapes.js" */

const MAX_WORDS = 80;

/**
 * @param {Description} description
 * @returns {Children}
 */
export function drawCloud(description) {
  const [width, height] = isNarrow() ? [600, 600] : [1_200, 560];
  const rows = description.rows.filter(({ size }) => size > 0).map(({ text, size }) => ({ word: text, count: size }));
  const words = layout(rows.slice(0, isNarrow() ? MAX_WORDS / 2 : MAX_WORDS), width, height);
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
    drawMore(rows.length - words.length, description.isOpen),
    accessibleTable(description),
  ];
}
