// Pictures of results, for pages and for views that want them. What has rows is a table whose cells hold the bars; every other picture has a
// table as its twin, so those who hear the page get the same figures.

import { h } from "../core/dom.js";
import { valuesOf } from "../core/types.js";
import { compact, shown, t } from "../core/words.js";
import { placed } from "./cloud.js";

const MOST_ROWS = 24;
const MOST_WORDS = 80;

const isNarrow = () => matchMedia("(max-width: 40rem)").matches;

// `mine` is one's own answer, `texts` what stands behind a target's id, `most` how many rows a table has.
export function drawResults(results, activity, { mine = null, texts = new Map(), most = MOST_ROWS } = {}) {
  const drawn = Object.entries(results ?? {}).map(([name, result]) => {
    const draw = PICTURES[result.op];
    const more = { mine, texts, most, values: valuesOf(activity, name), right: activity.secret?.correct };
    if (!draw || (result.op === "votes" && !result.answers)) return null; // what was said may be there, and only the support is missing
    if (result.op === "score" && result.correct === null) return null; // who is right is not told yet
    return h("div", { key: name, class: `of-${result.op}` }, result.answers ? draw(result, more) : h("p", { class: "muted" }, t("results.none")));
  });
  return drawn.filter(Boolean);
}

const PICTURES = { count: counted, rank: ranked, votes: supported, words: cloud, number: numbers, score: scored };

// How many answers there are; where some of them support others, both are counted apart.
export function countOf(counted) {
  const support = Object.values(counted?.results ?? {}).find(({ op }) => op === "votes");
  if (!support) return t("results.answers", { n: counted?.response_count ?? 0 });
  return `${t("results.asked", { n: counted.response_count - support.answers })} · ${t("results.votes", { n: votesIn(support) })}`;
}

const votesIn = ({ targets }) => targets.reduce((sum, { up, down }) => sum + up + down, 0);

// Says how much is not shown; `isOpen`: and more than that. A screen adds what finds no room on it.
const moreText = (cut, isOpen = false) => (cut > 0 ? t("results.more", { n: cut }) : isOpen ? "…" : "");
export const drawMore = (cut = 0, isOpen = false) => h("p", { class: "more", key: "more", "data-cut": Math.max(0, cut) }, moreText(cut, isOpen));
const lastRow = (cut, isOpen = false) => h("tfoot", { key: "more" }, h("tr", {}, h("td", { colspan: 3, "data-cut": Math.max(0, cut) }, moreText(cut, isOpen))));

const composed = (value) => (typeof value === "string" ? value.normalize() : value); // as values are counted

function counted(result, { values: known, mine, right, most }) {
  const values = known.map((each) => ({ ...each, value: composed(each.value) }));
  const sizes = new Map(result.values.map(({ value, count }) => [value, count]));
  const all = result.values.reduce((sum, { count }) => sum + count, 0) + (result.others ?? 0);
  const rows = inOrder(values, [...sizes.keys()]).map(({ value, text }) => ({
    value, text, size: sizes.get(value) ?? 0, isRight: value === composed(right), isMine: isMine(mine, value),
  }));
  return bars(rows, { most, isOpen: result.truncated, caption: t("results.answers", { n: result.answers }) }, ({ size }) => `${shown(size)} · ${shown(all ? Math.round((size / all) * 100) : 0)} %`);
}

function ranked(result, { values, most }) {
  const texts = new Map(values.map(({ value, text }) => [composed(value), text]));
  return bars(result.ranking.map(({ value, points }, index) => ({ value, text: `${shown(index + 1)}. ${texts.get(value) ?? worded(value)}`, size: points })), { most, isOpen: result.truncated, caption: t("results.answers", { n: result.answers }) }, ({ size }) => t("results.points", { n: size }));
}

function supported(result, { texts, most }) {
  const rows = result.targets.filter(({ target }) => texts.size === 0 || texts.has(target)).map(({ target, up, down }) => ({ value: target, text: texts.get(target), size: up - down }));
  return bars(rows, { most, isOpen: result.truncated, caption: t("results.votes", { n: votesIn(result) }) }, ({ size }) => `▲ ${shown(size)}`);
}

function scored(result) {
  return h("p", { class: "strong" }, t("results.correct", { n: result.correct, all: result.answers }));
}

// A scale of a few whole steps is counted step by step; bins would show the same once more.
function numbers(result, { values, right }) {
  const { mean, min, max, answers } = result;
  return [
    values.length ? null : histogram(result, right),
    h("p", { class: "mean" }, h("span", { class: "figure", "aria-hidden": "true" }, `Ø ${shown(mean)}`), h("span", { class: "muted" }, t("results.number", { mean, min, max, n: answers }))),
  ];
}

const worded = (value) => (typeof value === "string" ? value : JSON.stringify(value));

// The values in their own order, so that a bar keeps its place; what is none of them follows as it came.
function inOrder(values, sizes) {
  const others = sizes.filter((value) => !values.some((each) => each.value === value)).map((value) => ({ value }));
  return [...values, ...others];
}

// The largest rows in their own order; what is right, and one's own, is always among them.
function largest(rows, most) {
  const weight = ({ isRight, isMine, size }) => (isRight || isMine ? Infinity : size);
  const kept = new Set([...rows].sort((a, b) => weight(b) - weight(a)).slice(0, most));
  return rows.filter((row) => kept.has(row));
}

function isMine(mine, value) {
  return Object.values(mine ?? {}).some((each) => (Array.isArray(each) ? each : [each]).map(composed).includes(value));
}

function bars(all, { most, isOpen, caption }, said) {
  const size = Math.max(1, ...all.map((row) => row.size));
  const rows = largest(all, most);
  return h("table", { class: "bars" },
    h("caption", {}, caption),
    lastRow(all.length - rows.length, isOpen),
    h("tbody", {}, rows.map((row) =>
      h("tr", { key: worded(row.value), "data-weight": row.isRight ? "Infinity" : row.size, class: `${row.isRight ? "is-right " : ""}${row.isMine ? "is-mine" : ""}`.trim() || null },
        h("th", { scope: "row", dir: "auto" }, row.text ?? worded(row.value), row.isRight ? h("span", { class: "mark-right" }, ` ✓ ${t("answer.right")}`) : null),
        h("td", {}, bar(Math.max(0, row.size) / size)),
        h("td", {}, said(row))))));
}

function bar(share) {
  return h("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" }, h("rect", { x: 0, y: 0, width: (share * 100).toFixed(2), height: 10 }));
}

// The table behind a picture; it takes no room.
function twin(caption, heads, rows) {
  return h("div", { class: "hidden-text" }, h("table", {}, h("caption", {}, caption),
    h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col", key: head }, head)))),
    h("tbody", {}, rows.map(([name, ...cells]) => h("tr", { key: name }, h("th", { scope: "row", dir: "auto" }, name), cells.map((cell) => h("td", {}, cell)))))));
}

function cloud(result) {
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

function histogram({ histogram: bins, answers }, right) {
  const most = Math.max(1, ...bins.map(({ count }) => count));
  const span = isNarrow() ? 216 : 400; // a picture that is not made smaller keeps its words as large as they are written
  const [from, to] = [bins[0].from, bins.at(-1).to];
  const width = Math.min(90, span / bins.length);
  const start = (span - width * bins.length) / 2;
  const every = Math.ceil(bins.length / 5);
  const at = typeof right === "number" && to > from ? start + ((right - from) / (to - from)) * width * bins.length : null;
  const isSeen = at !== null && at >= 0 && at <= span;
  return [
    h("svg", { class: "histogram", viewBox: `-20 -8 ${span + 40} 196`, "aria-hidden": "true" },
      bins.map((bin, index) => [
        h("rect", { key: `r${index}`, x: start + index * width + 2, y: 160 - (bin.count / most) * 140, width: Math.max(1, width - 4), height: (bin.count / most) * 140, rx: 3 }),
        bin.count ? h("text", { key: `c${index}`, x: start + (index + 0.5) * width, y: 154 - (bin.count / most) * 140 }, shown(bin.count)) : null,
        index % every === 0 ? h("text", { key: `t${index}`, class: "axis", x: start + index * width + (bins.length === 1 ? width / 2 : 0), y: 180 }, compact(bin.from)) : null,
      ]),
      bins.length > 1 ? h("text", { key: "end", class: "axis", x: start + bins.length * width, y: 180 }, compact(to)) : null,
      isSeen ? h("path", { key: "right", class: "right", d: `M${at} 4V160` }) : null,
      isSeen ? h("text", { key: "right-text", class: "right-text", x: at, y: 0 }, `✓ ${shown(right)}`) : null),
    twin(t("results.answers", { n: answers }), [t("results.range"), t("results.count")], bins.map((bin) => [bin.from === bin.to ? shown(bin.from) : `${shown(bin.from)} – ${shown(bin.to)}`, shown(bin.count)])),
  ];
}

export function drawLeaderboard(ranks, mine = null) {
  if (!ranks?.items?.length) return null;
  const most = Math.max(1, ...ranks.items.map(({ points }) => points));
  const row = ({ rank, points }, name, key, isMe) => h("tr", { key, class: isMe ? "is-me" : null },
    h("td", {}, shown(rank)), h("td", { dir: "auto" }, name, bar(points / most)), h("td", {}, shown(points)));
  const isListed = ranks.items.some((each) => each.participant_id === mine);
  return h("table", { class: "ranks", key: "ranks" },
    h("caption", {}, t("leaderboard.title")),
    lastRow(ranks.total - ranks.items.length - (ranks.me && !isListed ? 1 : 0)),
    h("thead", {}, h("tr", {}, ["leaderboard.rank", "leaderboard.name", "leaderboard.points"].map((key) => h("th", { scope: "col", key }, t(key))))),
    h("tbody", {},
      ranks.items.map((each) => row(each, each.nickname, each.participant_id, each.participant_id === mine)),
      ranks.me && !isListed ? row(ranks.me, t("leaderboard.me"), "me", true) : null));
}
