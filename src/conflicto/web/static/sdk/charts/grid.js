// A heat map of points, with the number of answers in each cell.

import { h } from "../../core/dom.js";
import { formatNumber, t } from "../../core/i18n.js";
import { accessibleTable } from "../chart_parts.js";

/** @import { Children, GridResult } from "../../shapes.js" */

const CELL_WIDTH = 40;
const CELL_HEIGHT = 30;

/**
 * @param {GridResult} result
 * @returns {Children}
 */
export function draw({ columns, rows, cells, answers }) {
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
    accessibleTable(
      t("results.answers", { n: answers }),
      [t("results.cell"), t("results.count")],
      cells.map(({ name, column, row, count }) => [name ?? t("results.place", { column, row }), formatNumber(count)]),
    ),
  ];
}
