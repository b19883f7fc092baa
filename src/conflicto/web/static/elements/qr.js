// Text as a QR code. It is drawn in the browser, because links hold secrets.

import { correction, generate } from "lean-qr/nano";
import { h } from "../core/dom.js";

const BORDER = 4;

/** @type {{ text?: string, size?: number, path?: string }} */
let last = {}; // the last code: a screen draws the same one every second

/**
 * @param {string} text
 * @param {string} label for screen readers
 */
export function drawCode(text, label) {
  if (last.text !== text) last = { text, ...outlineOf(text) };
  const { size, path } = last;
  return h(
    "svg",
    {
      class: "qr",
      viewBox: `0 0 ${size} ${size}`,
      role: "img",
      "aria-label": label,
      "shape-rendering": "crispEdges",
    },
    h("path", { d: `M0 0h${size}v${size}h-${size}z`, fill: "#fff" }),
    h("path", { d: path, fill: "#000" }),
  );
}

/**
 * Returns the size with the border, and a path with a square for each dark module.
 *
 * @param {string} text
 */
function outlineOf(text) {
  const code = generate(text, { minCorrectionLevel: correction.M });
  const places = Array.from({ length: code.size }, (_, at) => at);
  const path = places.flatMap((y) =>
    places.filter((x) => code.get(x, y)).map((x) => `M${x + BORDER} ${y + BORDER}h1v1h-1z`),
  );
  return { size: code.size + 2 * BORDER, path: path.join("") };
}
