// Shared parts of charts: tables with bars, hidden tables, and the number of hidden rows.

import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";

/** @import { Bar, ChartContext, Children, Description, Value } from "../shapes.js" */

export const isNarrow = () => matchMedia("(max-width: 40rem)").matches;

/**
 * Returns a value as the server counts it.
 *
 * @param {any} value
 */
export const normalized = (value) => (typeof value === "string" ? value.normalize() : value);

/** @param {unknown} value */
export const keyOf = (value) => JSON.stringify(normalized(value));

/**
 * Returns a function from a value to its name: that of the config, else the value in words.
 *
 * @param {Value[]} values
 * @param {ChartContext} context
 * @returns {(value: any) => string}
 */
export function namesOf(values, { textOf }) {
  const texts = new Map(values.map(({ value, text }) => [keyOf(value), text]));
  return (value) => texts.get(keyOf(value)) ?? textOf(value);
}

/**
 * Returns the number of hidden rows; `isOpen`: at least that many. A screen adds rows without space.
 *
 * @param {number} cut
 */
function moreText(cut, isOpen = false) {
  if (cut > 0) return t("results.more", { n: cut });
  return isOpen ? "…" : "";
}

/** @param {number} [cut] */
export const drawMore = (cut = 0, isOpen = false) =>
  h("p", { class: "more", key: "more", "data-cut": Math.max(0, cut) }, moreText(cut, isOpen));
/** @param {number} cut @param {boolean} [isOpen] */
export const moreRow = (cut, isOpen = false) =>
  h(
    "tfoot",
    { key: "more" },
    h("tr", {}, h("td", { colspan: 3, "data-cut": Math.max(0, cut) }, moreText(cut, isOpen))),
  );

/**
 * Returns the largest rows in their own order. Correct and own rows are always included.
 *
 * @param {Bar[]} rows
 * @param {number} most
 */
function largest(rows, most) {
  /** @param {Bar} row */
  const weight = ({ isRight, isMine, size }) => (isRight || isMine ? Infinity : size);
  const kept = new Set([...rows].sort((a, b) => weight(b) - weight(a)).slice(0, most));
  return rows.filter((row) => kept.has(row));
}

/**
 * Draws the rows as a table; `hasBars` puts a bar into each.
 *
 * @param {Description} description
 * @param {ChartContext} context
 * @returns {Children}
 */
export function drawRows({ caption, rows: all, isOpen }, { most }, hasBars = true) {
  const size = Math.max(1, ...all.map((row) => row.size));
  const rows = largest(all, most);
  return h(
    "table",
    { class: hasBars ? "bars" : "bars without-bars" },
    h("caption", {}, caption),
    moreRow(all.length - rows.length, isOpen),
    h(
      "tbody",
      {},
      rows.map((row) =>
        h(
          "tr",
          {
            key: keyOf(row.value),
            "data-weight": row.isRight ? "Infinity" : row.size,
            class: `${row.isRight ? "is-right " : ""}${row.isMine ? "is-mine" : ""}`.trim() || null,
          },
          h(
            "th",
            { scope: "row", dir: "auto" },
            row.text,
            row.isRight ? h("span", { class: "mark-right" }, ` ✓ ${t("answer.right")}`) : null,
          ),
          hasBars ? h("td", { key: "bar" }, bar(Math.max(0, row.size) / size)) : null,
          h("td", { key: "figure" }, h("bdi", {}, row.figure)),
        ),
      ),
    ),
  );
}

/** @param {number} share */
export function bar(share) {
  return h(
    "svg",
    { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
    h("rect", { x: 0, y: 0, width: (share * 100).toFixed(2), height: 10 }),
  );
}

/**
 * Draws the hidden table of a chart, with its names and figures.
 *
 * @param {Description} description
 */
export function accessibleTable({ caption, heads, rows }) {
  if (!rows.length) return h("p", { class: "hidden-text", key: "table" }, caption);
  return h(
    "div",
    { class: "hidden-text", key: "table" },
    h(
      "table",
      {},
      h("caption", {}, caption),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          heads.map((head) => h("th", { scope: "col", key: head }, head)),
        ),
      ),
      h(
        "tbody",
        {},
        rows.map(({ value, text, figure, isRight }) =>
          h(
            "tr",
            { key: keyOf(value) },
            h("th", { scope: "row", dir: "auto" }, text, isRight ? ` ✓ ${t("answer.right")}` : null),
            h("td", {}, figure),
          ),
        ),
      ),
    ),
  );
}
