// Shared parts of charts: tables with bars, hidden tables, and the number of hidden rows.

import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";

/** @import { Bar, Value } from "../shapes.js" */

export const isNarrow = () => matchMedia("(max-width: 40rem)").matches;

/**
 * Returns a value as the server counts it.
 *
 * @param {any} value
 */
export const normalized = (value) => (typeof value === "string" ? value.normalize() : value);

/** @param {unknown} value */
export const asText = (value) => (typeof value === "string" ? value : JSON.stringify(value));

/**
 * Returns the texts of values by their JSON, as the server counts them.
 *
 * @param {Value[]} values
 */
export const labelsOf = (values) => new Map(values.map(({ value, text }) => [asText(normalized(value)), text]));

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
 * @param {Bar[]} all
 * @param {{ most: number, isOpen?: boolean, caption: string }} options
 * @param {(row: Bar) => string} figureOf
 */
export function bars(all, { most, isOpen, caption }, figureOf) {
  const size = Math.max(1, ...all.map((row) => row.size));
  const rows = largest(all, most);
  return h(
    "table",
    { class: "bars" },
    h("caption", {}, caption),
    moreRow(all.length - rows.length, isOpen),
    h(
      "tbody",
      {},
      rows.map((row) =>
        h(
          "tr",
          {
            key: asText(row.value),
            "data-weight": row.isRight ? "Infinity" : row.size,
            class: `${row.isRight ? "is-right " : ""}${row.isMine ? "is-mine" : ""}`.trim() || null,
          },
          h(
            "th",
            { scope: "row", dir: "auto" },
            row.text ?? asText(row.value),
            row.isRight ? h("span", { class: "mark-right" }, ` ✓ ${t("answer.right")}`) : null,
          ),
          h("td", {}, bar(Math.max(0, row.size) / size)),
          h("td", {}, figureOf(row)),
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
 * Draws the hidden table of a chart.
 *
 * @param {string} caption
 * @param {string[]} heads
 * @param {string[][]} rows
 */
export function accessibleTable(caption, heads, rows) {
  return h(
    "div",
    { class: "hidden-text" },
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
        rows.map(([name, ...cells]) =>
          h(
            "tr",
            { key: name },
            h("th", { scope: "row", dir: "auto" }, name),
            cells.map((cell) => h("td", {}, cell)),
          ),
        ),
      ),
    ),
  );
}
