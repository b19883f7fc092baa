// Pictures of results, for pages and for views that want them. What has rows is a table whose cells hold the bars, so those who hear the page get the same figures.

import { h } from "../core/dom.js";
import { valuesOf } from "../core/types.js";
import { shown, t } from "../core/words.js";

const MOST_ROWS = 24;

// `mine` is one's own answer, `texts` what stands behind a target's id.
export function drawResults(results, activity, { mine = null, texts = new Map() } = {}) {
  const drawn = Object.entries(results ?? {}).map(([name, result]) => {
    const draw = PICTURES[result.op];
    return draw && h("div", { key: name }, result.answers ? draw(result, activity, { mine, texts, values: valuesOf(activity, name) }) : h("p", { class: "muted" }, t("results.none")));
  });
  return drawn.filter(Boolean);
}

const labelOf = (values, value) => values.find((each) => each.value === value)?.text ?? (typeof value === "string" ? value : JSON.stringify(value));

const PICTURES = {
  count: (result, activity, more) => {
    const counted = new Map(result.values.map(({ value, count }) => [value, count]));
    const all = result.values.reduce((sum, { count }) => sum + count, 0) + (result.others ?? 0);
    const rows = inOrder(more.values, [...counted.keys()]).map((value) => ({ value, size: counted.get(value) ?? 0, of: all }));
    return bars(activity, rows, { ...more, answers: result.answers, said: ({ size }) => `${shown(size)} · ${shown(all ? Math.round((size / all) * 100) : 0)} %` });
  },
  rank: (result, activity, more) => {
    const rows = result.ranking.map(({ value, points }) => ({ value, size: points }));
    return bars(activity, rows, { ...more, answers: result.answers, said: ({ size }) => t("results.points", { n: size }) });
  },
  votes: (result, activity, more) => {
    const rows = result.targets.filter(({ target }) => more.texts.size === 0 || more.texts.has(target))
      .map(({ target, up, down }) => ({ value: target, text: more.texts.get(target), size: up - down }));
    return bars(activity, rows, { ...more, answers: result.answers, said: ({ size }) => `▲ ${shown(size)}` });
  },
  words: (result) => {
    const most = Math.max(...result.words.map(({ count }) => count));
    const words = result.words.slice(0, 80).sort((a, b) => a.word.localeCompare(b.word));
    return h("ul", { class: "cloud" }, words.map(({ word, count }) =>
      h("li", { key: word, dir: "auto", style: { "--weight": most > 1 ? ((count - 1) / (most - 1)).toFixed(3) : "0.4" } },
        word, h("span", { class: "hidden-text" }, ` ${shown(count)}`))));
  },
  number: (result, activity, more) => [more.values.length ? null : histogram(result), h("p", { class: "muted" }, t("results.number", { mean: result.mean, min: result.min, max: result.max, n: result.answers }))],
  score: (result) => h("p", { class: "strong" }, t("results.correct", { n: result.correct, all: result.answers })),
};

// The values in their own order, so that a bar keeps its place; what is none of them follows as it came.
function inOrder(values, counted) {
  const own = values.map(({ value }) => value);
  return [...own, ...counted.filter((value) => !own.includes(value))].slice(0, MOST_ROWS);
}

function bars(activity, rows, { mine, answers, said, values }) {
  const most = Math.max(1, ...rows.map((row) => row.size));
  const right = activity.secret?.correct;
  return h("table", { class: "bars" },
    h("caption", {}, t("results.answers", { n: answers })),
    h("tbody", {}, rows.slice(0, MOST_ROWS).map((row) =>
      h("tr", { key: String(row.value), class: `${row.value === right ? "is-right " : ""}${isMine(mine, row.value) ? "is-mine" : ""}`.trim() || null },
        h("th", { scope: "row", dir: "auto" }, row.text ?? labelOf(values, row.value), row.value === right ? h("span", { class: "mark-right" }, ` ✓ ${t("answer.right")}`) : null),
        h("td", {}, bar(Math.max(0, row.size) / most)),
        h("td", {}, said(row))))));
}

function bar(share) {
  return h("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" }, h("rect", { x: 0, y: 0, width: (share * 100).toFixed(2), height: 10 }));
}

function isMine(mine, value) {
  return mine !== null && Object.values(mine ?? {}).some((each) => each === value || (Array.isArray(each) && each.includes(value)));
}

function histogram({ histogram: bins, answers }) {
  const most = Math.max(1, ...bins.map(({ count }) => count));
  const width = 400 / Math.max(1, bins.length);
  const label = bins.map(({ from, to, count }) => `${shown(from)}–${shown(to)}: ${shown(count)}`).join("; ");
  return h("svg", { class: "histogram", viewBox: "-8 0 416 180", role: "img", "aria-label": `${t("results.answers", { n: answers })} ${label}` },
    bins.map(({ from, count }, index) => [
      h("rect", { key: `r${index}`, x: index * width + 2, y: 150 - (count / most) * 130, width: Math.max(1, width - 4), height: (count / most) * 130, rx: 3 }),
      count ? h("text", { key: `c${index}`, x: (index + 0.5) * width, y: 145 - (count / most) * 130 }, shown(count)) : null,
      h("text", { key: `t${index}`, x: index * width, y: 170 }, shown(from)),
    ]),
    bins.length ? h("text", { key: "end", x: 400, y: 170 }, shown(bins.at(-1).to)) : null);
}

export function drawLeaderboard(ranks, mine = null) {
  if (!ranks?.items?.length) return null;
  return h("table", { class: "ranks" },
    h("caption", { class: "hidden-text" }, t("leaderboard.title")),
    h("thead", {}, h("tr", {}, ["leaderboard.rank", "leaderboard.name", "leaderboard.points"].map((key) => h("th", { scope: "col", key }, t(key))))),
    h("tbody", {},
      ranks.items.map((each) => h("tr", { key: each.participant_id, class: each.participant_id === mine ? "is-me" : null },
        h("td", {}, shown(each.rank)), h("td", { dir: "auto" }, each.nickname), h("td", {}, shown(each.points)))),
      ranks.me && !ranks.items.some((each) => each.participant_id === mine)
        ? h("tr", { key: "me", class: "is-me" }, h("td", {}, shown(ranks.me.rank)), h("td", {}, t("leaderboard.me")), h("td", {}, shown(ranks.me.points))) : null));
}
