// Charts of results, for pages and views. Charts with rows are tables with bars. Every other chart has a hidden table,
// so that screen readers get the same figures.

import { h } from "../core/dom.js";
import { formatNumber, t } from "../core/i18n.js";
import { configOf, drawingOf, resolvePointer, secondValuesOf, valuesOf } from "../core/types.js";
import { valueText } from "../core/value_text.js";
import { bar, drawMore, moreRow } from "./chart_parts.js";
import { drawChart, drawTable, OPERATIONS } from "./charts/operations.js";
import { votesIn } from "./charts/votes.js";

/** @import { Activity, ActivityResults, ChartContext, Children, Leaderboard, Result, Results } from "../shapes.js" */

const MAX_ROWS = 24;
const NO_CHART = "none";

/** @typedef {{ mine?: any, texts?: Map<string, string>, most?: number }} DrawingOptions */

/**
 * Draws a chart for each result, as the type declares it. `mine` is the own response, `texts` maps ids of targets to
 * texts, `most` is the maximum number of rows.
 *
 * @param {Results | null | undefined} results
 * @param {Activity} activity
 * @param {DrawingOptions} [options]
 */
export function drawResults(results, activity, options) {
  return drawnOf(results, activity).map(([name, result]) =>
    h(
      "div",
      { key: name, class: `of-${result.op}` },
      titleOf(activity, name),
      result.answers
        ? drawChart(result, contextOf(activity, name, options))
        : h("p", { class: "muted" }, t("results.none")),
    ),
  );
}

/**
 * Draws a hidden table for each result, with the names and figures of `drawResults`: the text beside a view that draws
 * the results itself.
 *
 * @param {Results | null | undefined} results
 * @param {Activity} activity
 * @param {DrawingOptions} [options]
 */
export function drawTables(results, activity, options) {
  return drawnOf(results, activity)
    .filter(([, { answers }]) => answers)
    .map(([name, result]) =>
      h("div", { key: `table ${name}` }, drawTable(result, { ...contextOf(activity, name, options), most: Infinity })),
    );
}

/**
 * Returns the results that are drawn, by name.
 *
 * @param {Results | null | undefined} results
 * @param {Activity} activity
 */
function drawnOf(results, activity) {
  return Object.entries(results ?? {}).filter(([name, result]) => {
    if (!OPERATIONS[result.op] || drawingOf(activity, name).chart === NO_CHART) return false;
    if (result.op === "votes" && !result.answers) return false; // there may be questions without votes
    return !(result.op === "score" && result.correct === null); // the server has not revealed it yet
  });
}

/** @param {Activity} activity @param {string} name @returns {Children} */
function titleOf(activity, name) {
  const { title } = drawingOf(activity, name);
  return title ? h("p", { class: "strong", key: "title" }, title) : null;
}

/**
 * @param {Activity} activity
 * @param {string} name of the result
 * @param {DrawingOptions} [options]
 * @returns {ChartContext}
 */
function contextOf(activity, name, { mine = null, texts = new Map(), most = MAX_ROWS } = {}) {
  const { chart, figure, unit, shape } = drawingOf(activity, name);
  const config = configOf(activity);
  const of = unit ? resolvePointer(config, unit) : null;
  return {
    mine,
    texts,
    most,
    chart,
    figure,
    values: valuesOf(activity, name),
    seconds: secondValuesOf(activity, name),
    right: activity.secret?.correct,
    textOf: (value) => valueText(value, shape, config),
    withUnit: (number) => (of ? `${formatNumber(number)} ${of}` : formatNumber(number)),
  };
}

/**
 * Returns the number of responses. Votes for other responses are counted separately.
 *
 * @param {ActivityResults | null} counted
 */
export function countOf(counted) {
  const support = Object.values(counted?.results ?? {}).find((each) => each.op === "votes");
  if (!counted || !support) return t("results.answers", { n: counted?.response_count ?? 0 });
  return `${t("results.questions", { n: counted.response_count - support.answers })} · ${t("results.votes", { n: votesIn(support) })}`;
}

/**
 * @param {Leaderboard | null | undefined} ranks
 * @param {number | null} [mine] the own id
 */
export function drawLeaderboard(ranks, mine = null) {
  if (!ranks?.items?.length) return null;
  const most = Math.max(1, ...ranks.items.map(({ points }) => points));
  /** @type {(entry: { rank: number, points: number }, name: string, key: string | number, isMe: boolean) => Children} */
  const row = ({ rank: place, points }, name, key, isMe) =>
    h(
      "tr",
      { key, class: isMe ? "is-me" : null },
      h("td", {}, formatNumber(place)),
      h("td", { dir: "auto" }, name, bar(points / most)),
      h("td", {}, formatNumber(points)),
    );
  const isListed = ranks.items.some((each) => each.participant_id === mine);
  return h(
    "table",
    { class: "ranks", key: "ranks" },
    h("caption", {}, t("leaderboard.title")),
    moreRow(ranks.total - ranks.items.length - (ranks.me && !isListed ? 1 : 0)),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        ["leaderboard.rank", "leaderboard.name", "leaderboard.points"].map((key) =>
          h("th", { scope: "col", key }, t(key)),
        ),
      ),
    ),
    h(
      "tbody",
      {},
      ranks.items.map((each) => row(each, each.nickname, each.participant_id, each.participant_id === mine)),
      ranks.me && !isListed ? row(ranks.me, t("leaderboard.you"), "me", true) : null,
    ),
  );
}

export { drawMore };
