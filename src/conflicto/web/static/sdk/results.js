// Charts of results, for pages and views. Charts with rows are tables with bars. Every other chart has a hidden table,
// so that screen readers get the same figures.

import { h } from "../core/dom.js";
import { formatNumber, t } from "../core/i18n.js";
import { secondValuesOf, valuesOf } from "../core/types.js";
import { bar, drawMore, moreRow } from "./chart_parts.js";
import { draw as amounts } from "./charts/amounts.js";
import { draw as count } from "./charts/count.js";
import { draw as grid } from "./charts/grid.js";
import { draw as median } from "./charts/median.js";
import { draw as number } from "./charts/number.js";
import { draw as pairs } from "./charts/pairs.js";
import { draw as rank } from "./charts/rank.js";
import { draw as score } from "./charts/score.js";
import { draw as votes, votesIn } from "./charts/votes.js";
import { draw as words } from "./charts/words.js";

/** @import { Activity, ActivityResults, Children, Leaderboard, Result, Results } from "../shapes.js" */

const MAX_ROWS = 24;
/** @type {Record<string, (result: any, context: any) => Children>} */
const CHARTS = { amounts, count, grid, median, number, pairs, rank, score, votes, words };

/**
 * Draws a chart for each result. `mine` is the own response, `texts` maps ids of targets to texts, `most` is the
 * maximum number of rows.
 *
 * @param {Results | null | undefined} results
 * @param {Activity} activity
 * @param {{ mine?: any, texts?: Map<string, string>, most?: number }} [options]
 */
export function drawResults(results, activity, { mine = null, texts = new Map(), most = MAX_ROWS } = {}) {
  const drawn = Object.entries(results ?? {}).map(([name, result]) => {
    const draw = CHARTS[result.op];
    const values = valuesOf(activity, name);
    const seconds = secondValuesOf(activity, name);
    const more = { mine, texts, most, values, seconds, right: activity.secret?.correct };
    if (!draw || (result.op === "votes" && !result.answers)) return null; // there may be questions without votes
    if (result.op === "score" && result.correct === null) return null; // the server has not revealed it yet
    return h(
      "div",
      { key: name, class: `of-${result.op}` },
      result.answers ? draw(result, more) : h("p", { class: "muted" }, t("results.none")),
    );
  });
  return drawn.filter(Boolean);
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
