// Points by cell of a grid; the heat map has the number of answers in each.

import { h } from "../../core/dom.js";
import { formatNumber, t } from "../../core/i18n.js";
import { accessibleTable } from "../chart_parts.js";

/** @import { Children, Description, GridResult } from "../../shapes.js" */

export const charts = ["grid", "bars", "table"];

const CELL_WIDTH = 40;
const CELL_HEIGHT = 30;

/** @param {GridResult} result @returns {Description} */
export const describe = ({ cells, answers }) => ({
  caption: t("results.answers", { n: answers }),
  heads: [t("results.cell"), t("results.count")],
  rows: cells.map(({ name, column, row, count }) => ({
    value: [column, row],
    text: name ?? t("results.place", { column, row }),
    size: count,
    figure: formatNumber(count),
  })),
});

/**
 * @param {Description} description
 * @param {GridResult} result
 * @returns {Children}
 */
function draw(description, { columns, rows, cells }) {
  const most = Math.max(1, ...cells.map(({ count }) => count));
  const [width, height] = [columns * CELL_WIDTH, rows * CELL_HEIGHT];
  return [
    h(
      "svg",
      { class: "heat", viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" },
      h("rect", { class: "frame", key: "frame", x: 0, y: 0, width, height }),
      cells.map(({ column, row, count }) => [
        h("rect", {
          key: `r${column} ${row}`,
          x: (column - 1) * CELL_WIDTH + 1,
          y: (row - 1) * CELL_HEIGHT + 1,
          width: CELL_WIDTH - 2,
          height: CELL_HEIGHT - 2,
          rx: 3,
          "fill-opacity": (0.1 + (0.4 * count) / most).toFixed(2),
        }),
        h(
          "text",
          { key: `t${column} ${row}`, x: (column - 0.5) * CELL_WIDTH, y: (row - 0.5) * CELL_HEIGHT + 5 },
          formatNumber(count),
        ),
      ]),
    ),
    accessibleTable(description),
  ];
}

export const pictures = { grid: draw };
