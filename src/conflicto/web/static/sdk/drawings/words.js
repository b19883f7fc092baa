// A cloud of words.

import { h } from "../../core/dom.js";
import { shown, t } from "../../core/words.js";
import { placed } from "../cloud.js";
import { drawMore, isNarrow, twin } from "../parts.js";

const MOST_WORDS = 80;

export function draw(result) {
  const [width, height] = isNarrow() ? [600, 600] : [1_200, 560];
  const words = placed(result.words.slice(0, isNarrow() ? MOST_WORDS / 2 : MOST_WORDS), width, height);
  return [
    h("svg", { class: "cloud", viewBox: `${-width / 2} ${-height / 2} ${width} ${height}`, "aria-hidden": "true" },
      words.map(({ word, x, y, size }, index) =>
        h("text", { key: word, class: `s${(index % 6) + 1}`, x: x.toFixed(1), y: (y + size * 0.35).toFixed(1), "font-size": size.toFixed(1) }, word))),
    drawMore(result.words.length - words.length, result.truncated),
    twin(t("results.answers", { n: result.answers }), [t("results.word"), t("results.count")], result.words.map(({ word, count }) => [word, shown(count)])),
  ];
}
