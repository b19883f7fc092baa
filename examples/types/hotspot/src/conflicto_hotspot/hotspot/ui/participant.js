// The picture with its cells to tap, and the same cells as a list for keyboards and screen readers.

import { ActivityElement, choices, h, rightMark } from "../../sdk/v1.js";
import { cellsOf, draw, nameOf, SIDE } from "./pictures.js";

export default class extends ActivityElement {
  view() {
    const chosen = this.value;
    return [
      h(
        "svg",
        { class: "histogram", viewBox: `0 0 ${SIDE} ${SIDE}`, "aria-hidden": "true" },
        draw(this.config.picture),
        cellsOf(this.config).map((cell) => this.cell(cell)),
      ),
      h(
        "p",
        { role: "status" },
        chosen ? this.t("chosen", { name: nameOf(this, chosen.column, chosen.row) }) : this.t("nothing"),
      ),
      h("details", { key: "list" }, h("summary", {}, this.t("list")), this.list()),
    ];
  }

  cell({ column, row, ...box }) {
    const isChosen = this.is(this.value, column, row);
    return h("path", {
      key: `${column} ${row}`,
      d: `M${box.x + 1} ${box.y + 1}h${box.width - 2}v${box.height - 2}h${2 - box.width}z`,
      fill: isChosen ? "currentColor" : "transparent",
      "fill-opacity": isChosen ? 0.35 : 0,
      stroke: "currentColor",
      "stroke-opacity": 0.35,
      "stroke-width": this.is(this.activity.secret, column, row) ? 5 : 1,
      onclick: () => this.choose(column, row),
    });
  }

  list() {
    const cells = cellsOf(this.config).map(({ column, row }) => ({
      id: `${column} ${row}`,
      text: nameOf(this, column, row),
      column,
      row,
    }));
    return choices({
      legend: this.t("cells"),
      options: cells,
      chosen: this.value ? [`${this.value.column} ${this.value.row}`] : [],
      disabled: !this.isOpen,
      onpick: (id) => {
        const { column, row } = cells.find((each) => each.id === id);
        this.choose(column, row);
      },
      mark: ({ column, row }) => (this.is(this.activity.secret, column, row) ? rightMark() : null),
    });
  }

  choose(column, row) {
    if (this.isOpen) this.updateDraft({ column, row });
  }

  is(spot, column, row) {
    return spot?.column === column && spot?.row === row;
  }
}
