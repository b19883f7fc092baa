// The pictures, drawn as SVG in a box of 240 by 240 units.

import { h } from "../../sdk/v1.js";

export const SIDE = 240;

const line = {
  fill: "none",
  stroke: "currentColor",
  "stroke-width": 4,
  "stroke-linecap": "round",
  "stroke-linejoin": "round",
};
const path = (d) => h("path", { ...line, key: d, d });

const PICTURES = {
  figure: () => [
    h("circle", { ...line, key: "head", cx: 120, cy: 34, r: 22 }),
    path("M96 66H144L150 140H90Z"),
    path("M96 70L52 128M144 70L188 128"),
    path("M104 140L98 226M136 140L142 226"),
  ],
  house: () => [
    path("M40 110L120 40L200 110V216H40Z"),
    path("M104 216V160H136V216"),
    path("M60 126H92V156H60ZM148 126H180V156H148Z"),
  ],
  island: () => [
    path("M20 190Q120 120 220 190"),
    path("M120 152Q112 100 124 66"),
    path("M124 66Q92 50 76 76M124 66Q156 46 176 72M124 66Q112 36 88 38"),
    path("M10 214q20-14 40 0t40 0t40 0t40 0t40 0"),
  ],
};

export const draw = (name) => (PICTURES[name] ?? PICTURES.figure)();

export const nameOf = (view, column, row) => {
  const { columns, names = [] } = view.config;
  return names[(row - 1) * columns + column - 1] || view.t("cell", { column, row });
};

export function cellsOf({ columns, rows }) {
  return Array.from({ length: columns * rows }, (_, place) => ({
    column: (place % columns) + 1,
    row: Math.floor(place / columns) + 1,
    x: ((place % columns) * SIDE) / columns,
    y: (Math.floor(place / columns) * SIDE) / rows,
    width: SIDE / columns,
    height: SIDE / rows,
  }));
}
