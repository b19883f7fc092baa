// The host's page as a function of its board: what runs, what comes next, who is here.

import { drawTimer, questionOf, secondsLeft } from "../core/activity.js";
import { tokens, withToken } from "../core/api.js";
import { h } from "../core/dom.js";
import { clock, t } from "../core/words.js";
import { countOf, drawLeaderboard, drawResults } from "../sdk/pictures.js";
import { drawButtons } from "./commands.js";
import { button, drawAgenda, drawAnswers, drawPeople, textsOf } from "./lists.js";
import { drawRehearsal, drawRehearsed } from "./rehearsal.js";

export function drawBoard(board, commands, open) {
  const { session } = board;
  if (!session) return h("p", { class: board.said ? "bad" : "muted" }, board.said || t("state.loading"));
  return [
    h("div", { class: "head", key: "head" },
      h("h1", { class: "grow", dir: "auto" }, session.title),
      h("span", { class: `chip ${session.status}` }, t(`host.${session.status}`)),
      h("button", { type: "button", class: "code", onclick: open.invite, "aria-label": `${t("host.invite")}: ${session.join_code}` }, session.join_code),
      button(t("host.screen"), open.screen), h("a", { class: "button", href: withToken(`~/host/s/${board.id}/report`, board.caller.name, "token") }, t("host.report")),
      button("?", open.keys, { class: "square", "aria-label": t("key.title") })),
    board.isOffline ? h("p", { class: "banner", key: "offline" }, offline(board), board.blocked ? ` ${board.blocked}` : null) : null,
    tokens.areKept ? null : h("p", { class: "banner plain", key: "unkept" }, t("state.unkept_link")),
    board.isNearCap ? h("p", { class: "banner", key: "near-cap", role: "status" }, t("host.near_cap")) : null,
    board.news ? h("p", { class: "banner plain", key: "news" }, board.news) : null,
    board.isOutdated ? h("p", { class: "banner plain", key: "updated", role: "status" }, t("state.updated"), button(t("state.reload"), () => location.reload())) : null,
    drawRehearsed(board),
    h("p", { class: "bad", role: "alert", key: "said" }, board.said),
    h("fieldset", { class: "board", key: "board", disabled: board.isOffline },
      h("div", { class: "stack" }, now(board, commands), drawAnswers(board)),
      h("div", { class: "stack" }, drawAgenda(board, open), drawPeople(board, open), drawRehearsal(board))),
  ];
}

// The room goes on without us, and so does its clock.
function offline({ shown }) {
  return secondsLeft(shown ?? {}) ? t("host.offline_until", { time: clock(shown.ends_at) }) : t("host.offline");
}

function now(board, commands) {
  const { shown, step, results } = board;
  return h("section", { class: "card stack", key: "now", "aria-labelledby": "now-title" },
    h("h2", { id: "now-title", dir: "auto" }, shown ? questionOf(shown) : t(board.session.status === "draft" ? "host.lobby" : "host.nothing")),
    shown ? figures(board, shown) : null,
    shown ? h("div", { class: "results" }, results?.response_count ? [drawResults(results.results, shown, { texts: textsOf(board.answers) }), drawLeaderboard(board.ranks)]
      : h("p", { class: "muted", key: "none" }, nothing(board, shown))) : null,
    shown?.anonymous && board.isRunning ? h("p", { class: "muted small", key: "groups" }, t(shown.min_group ? "host.in_groups" : "host.delayed", { n: shown.min_group })) : null,
    h("button", { type: "button", class: "primary wide next", key: "step", disabled: !step.act, onclick: step.act }, t(`step.${step.name}`, step)),
    board.undo ? h("p", { class: "banner", key: "undo", role: "status" }, t(`step.done.${board.undo.name}`), button(t("key.undo"), board.undo.act)) : null,
    board.session.status === "active" ? h("div", { class: "row wrap", key: "controls" }, controls(board, shown, commands)) : null);
}

// An anonymous activity without results does not tell whether nobody answered or too few people did.
function nothing(board, { anonymous, min_group: n }) {
  if (anonymous && n) return t(board.isRunning ? "host.none_shown" : "host.withheld", { n });
  return t(board.isRunning ? "host.nobody_answered" : "results.none");
}

function figures(board, shown) {
  return h("div", { class: "row wrap muted" },
    h("span", { class: `chip ${shown.status}` }, t(shown.status === "active" ? "host.now" : `host.${shown.status}`)),
    h("span", { class: "strong" }, countOf(board.results)),
    shown.round > 1 ? h("span", {}, t("host.round_n", { n: shown.round })) : null,
    drawTimer(shown),
    board.session.overlay ? h("span", { class: "chip" }, t(`host.covered.${board.session.overlay}`)) : null);
}

function controls(board, shown, commands) {
  return [drawButtons(commands, board.step.name), shown ? button(t("host.round"), board.round) : null];
}
