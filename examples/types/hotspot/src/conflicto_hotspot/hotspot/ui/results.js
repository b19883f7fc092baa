// The picture with the number of answers in each cell, on all pages. The right cell has a thick edge once it is
// revealed. The page has the names and numbers as a table.

import { drawResults } from "../../sdk/results.js";
import { ActivityElement, formatNumber, h } from "../../sdk/v1.js";
import { cellsOf, draw, SIDE } from "./pictures.js";

const WIDTH = { "max-inline-size": "24rem", "margin-inline": "auto" };

export default class extends ActivityElement {
  view() {
    const counted = this.results?.spots?.cells ?? [];
    const most = Math.max(1, ...counted.map(({ count }) => count));
    const secret = this.activity.secret;
    const { spots: _, ...others } = this.results ?? {};
    const picture = h(
      "svg",
      { class: "histogram", key: "picture", style: WIDTH, viewBox: `0 0 ${SIDE} ${SIDE}`, "aria-hidden": "true" },
      draw(this.config.picture),
      cellsOf(this.config).map(({ column, row, ...box }) => {
        const { count = 0 } = counted.find((each) => each.column === column && each.row === row) ?? {};
        const isRight = secret?.column === column && secret?.row === row;
        return [
          h("path", {
            key: `cell ${column} ${row}`,
            d: `M${box.x + 1} ${box.y + 1}h${box.width - 2}v${box.height - 2}h${2 - box.width}z`,
            fill: "currentColor",
            "fill-opacity": ((0.4 * count) / most).toFixed(2),
            stroke: "currentColor",
            "stroke-opacity": isRight ? 1 : 0.35,
            "stroke-width": isRight ? 5 : 1,
          }),
          count
            ? h(
                "text",
                { key: `count ${column} ${row}`, x: box.x + box.width / 2, y: box.y + box.height / 2 + 5 },
                formatNumber(count),
              )
            : null,
        ];
      }),
    );
    return h("div", { class: "results", "aria-hidden": "true" }, picture, drawResults(others, this.activity));
  }
}
