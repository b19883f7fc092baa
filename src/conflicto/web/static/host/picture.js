// The host's page as a function of its board: what runs, what comes next, who is here.

import { questionOf } from "../core/activity.js";
import { time } from "../core/api.js";
import { h } from "../core/dom.js";
import { titleOf } from "../core/types.js";
import { boot, t } from "../core/words.js";
import { drawLeaderboard, drawResults } from "../sdk/pictures.js";
import { drawRehearsal, drawRehearsed } from "./rehearsal.js";

const button = (words, onclick, props = {}) => h("button", { type: "button", onclick, key: words, ...props }, words);

export function drawBoard(board, open) {
  const { session } = board;
  if (!session) return h("p", { class: board.said ? "bad" : "muted" }, board.said || t("state.loading"));
  return [
    h("div", { class: "head", key: "head" },
      h("h1", { class: "grow", dir: "auto" }, session.title),
      h("span", { class: `chip ${session.status}` }, t(`host.${session.status}`)),
      h("button", { type: "button", class: "code", onclick: open.invite, "aria-label": `${t("host.invite")}: ${session.join_code}` }, session.join_code),
      button(t("host.screen"), open.screen), h("a", { class: "button", href: `/host/s/${board.id}/report` }, t("host.report")),
      button("?", open.keys, { class: "square", "aria-label": t("host.keys") })),
    board.isOffline ? h("p", { class: "banner", key: "offline" }, t("host.offline")) : null,
    drawRehearsed(board),
    h("p", { class: "bad", role: "alert", key: "said" }, board.said),
    h("div", { class: "board", key: "board" }, h("div", { class: "stack" }, now(board), answers(board)), h("div", { class: "stack" }, agenda(board, open), people(board, open), drawRehearsal(board))),
  ];
}

function now(board) {
  const { shown, step, results } = board;
  return h("section", { class: "card stack", key: "now", "aria-labelledby": "now-title" },
    h("h2", { id: "now-title", dir: "auto" }, shown ? questionOf(shown) : t(board.session.status === "draft" ? "host.lobby" : "host.nothing")),
    shown ? h("p", { class: "row wrap muted" },
      h("span", { class: `chip ${shown.status}` }, t(shown.status === "active" ? "host.now" : `host.${shown.status}`)),
      h("span", { class: "strong" }, t("host.answers_n", { n: results?.response_count ?? 0 })),
      shown.round > 1 ? h("span", {}, t("host.round_n", { n: shown.round })) : null, left(shown)) : null,
    shown ? h("div", { class: "results" }, drawResults(results?.results, shown, { texts: textsOf(board.answers) }), drawLeaderboard(board.ranks)) : null,
    h("button", { type: "button", class: "primary wide next", key: "step", disabled: !step.act || board.isOffline, onclick: step.act }, t(`host.step.${step.name}`, step)),
    board.undo ? h("p", { class: "banner", key: "undo" }, t(`host.done.${board.undo.name}`), button(t("host.undo"), board.undo.act)) : null,
    shown && board.session.status === "active" ? h("div", { class: "row wrap" }, controls(board, shown)) : null);
}

function controls(board, shown) {
  const isLive = shown.status === "active";
  return [
    shown.results_visibility === "after_reveal" && (shown.results_revealed || isLive)
      ? button(t(shown.results_revealed ? "host.hide" : "host.reveal"), () => board.reveal(!shown.results_revealed)) : null,
    isLive && shown.ends_at ? button(t("host.more_time"), () => board.tell(shown, "extend", { seconds: 30 })) : null,
    !isLive && !shown.results_revealed ? button(t("host.reopen"), board.reopen) : null,
    button(t("host.round"), () => board.tell(shown, "rounds", {})),
    button(t("host.reset"), () => confirm(t("host.reset_sure")) && board.tell(shown, "reset", {}), { class: "danger" }),
  ];
}

function left({ status, ends_at: end }) {
  if (!end || status !== "active") return null;
  const seconds = Math.max(0, Math.ceil((Date.parse(end) - time.now()) / 1_000));
  return h("span", { class: seconds <= 10 ? "timer late" : "timer", role: "timer" }, `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`);
}

const textOf = ({ response_data: data }) => (typeof data?.text === "string" ? data.text : null);
export const textsOf = (answers) => new Map(answers.filter((each) => textOf(each) && each.moderation === "visible").map((each) => [each.id, textOf(each)]));

function answers(board) {
  const shown = board.shown;
  const listed = board.answers.filter((each) => !each.deleted && (textOf(each) || !each.response_data?.target));
  if (!shown || !listed.length) return null;
  const order = { pending: 0, visible: 1, hidden: 2 };
  const sorted = [...listed].sort((a, b) => order[a.moderation] - order[b.moderation] || (a.created_at < b.created_at ? 1 : -1));
  return h("section", { class: "card stack", key: "answers" },
    h("h2", {}, t("host.answers")),
    h("ul", { class: "rows" }, sorted.map((each) => h("li", { key: each.id, class: `row wrap ${each.moderation}` },
      h("span", { class: "grow basis", dir: "auto" }, textOf(each) ?? JSON.stringify(each.response_data)),
      each.moderation === "visible" ? null : h("span", { class: "chip" }, t(`host.${each.moderation}`)),
      isModerated(board, each) ? moderation(board, each) : null))));
}

// What the word filter holds can be shown in any activity.
const isModerated = ({ shown, session }, each) => shown.moderation !== "off" || each.moderation !== "visible" || session.word_filter.mode === "hold";

function moderation(board, each) {
  return [
    each.moderation === "visible" ? null : button(t(each.moderation === "pending" ? "host.approve" : "host.show_answer"), () => board.moderate(each, "visible")),
    each.moderation === "hidden" ? null : button(t("host.hide_answer"), () => board.moderate(each, "hidden"), { class: "danger" }),
  ];
}

function agenda(board, open) {
  const { activities, session, shown } = board;
  const mayChange = session.status !== "completed";
  return h("section", { class: "card stack", key: "agenda" },
    h("h2", {}, t("host.activities")),
    activities.length ? h("ol", { class: "rows" }, activities.map((each, index) =>
      h("li", { key: each.id, class: each.id === shown?.id ? "is-shown" : null },
        h("div", { class: "row" },
          h("span", { class: "icon", "aria-hidden": "true" }, boot.types[each.type]?.icon ?? "{ }"),
          h("span", { class: "grow", dir: "auto" }, questionOf(each)),
          each.status === "draft" ? null : h("span", { class: `chip ${each.status}` }, t(each.status === "active" ? "host.now" : `host.${each.status}`))),
        mayChange ? h("div", { class: "row wrap tools" }, tools(board, each, index, open)) : null)))
      : h("p", { class: "muted" }, t("host.empty")),
    mayChange ? adding(open) : null);
}

function tools(board, each, index, open) {
  const named = (words) => ({ "aria-label": `${words}: ${questionOf(each)}` });
  const canStart = board.session.status === "active" && (each.status === "draft" || each.status === "published");
  return [
    canStart ? button(t("host.start"), () => board.start(each), named(t("host.start"))) : null,
    button(t("host.edit"), () => open.edit(each), named(t("host.edit"))),
    button("↑", () => board.move(each, -1), { ...named(t("host.up")), class: "square", disabled: index === 0 }),
    button("↓", () => board.move(each, 1), { ...named(t("host.down")), class: "square", disabled: index === board.activities.length - 1 }),
    button(t("host.duplicate"), () => board.copy(each), named(t("host.duplicate"))),
    button("×", () => confirm(t("host.delete_sure", { title: questionOf(each) })) && board.remove(each), { ...named(t("host.delete")), class: "square danger" }),
  ];
}

function adding(open) {
  return h("details", { class: "adding" },
    h("summary", { class: "button wide" }, `+ ${t("host.add")}`),
    h("div", { class: "types" },
      Object.entries(boot.types).map(([type, { icon }]) => button([h("span", { class: "icon", "aria-hidden": "true" }, icon), titleOf(type)], () => open.make(type), { key: type })),
      button([h("span", { class: "icon", "aria-hidden": "true" }, "{ }"), t("host.add_other")], () => open.make("custom"), { key: "+" })));
}

function people(board, open) {
  const { people: here, session } = board;
  return h("details", { class: "card", key: "people" },
    h("summary", { class: "strong" }, `${t("host.people")} · ${t("host.people_n", { n: here.length })}`),
    h("div", { class: "stack inner" },
      session.status === "completed" ? null : h("div", { class: "row wrap", key: "room" },
        button(t(session.locked ? "host.unlock_door" : "host.lock_door"), () => board.closeDoor(!session.locked)),
        button(`${t("host.filter")}: ${t(`host.filter_is_${session.word_filter.mode}`)}`, open.filter, { key: "filter" })),
      here.length ? h("ul", { class: "rows" }, here.map((each) => h("li", { key: each.id, class: "row wrap" },
        h("span", { class: "grow basis", dir: "auto" }, each.nickname), each.scripted ? h("span", { class: "chip" }, t("host.scripted")) : null,
        button(t("host.rename"), () => renamed(board, each), { "aria-label": `${t("host.rename")}: ${each.nickname}` }),
        button(t("host.kick"), () => confirm(t("host.kick_sure", { name: each.nickname })) && board.kick(each), { class: "danger", "aria-label": `${t("host.kick")}: ${each.nickname}` }))))
        : h("p", { class: "muted" }, t("host.nobody"))));
}

function renamed(board, each) {
  const nickname = prompt(t("host.rename_to", { name: each.nickname }), each.nickname);
  if (nickname && nickname !== each.nickname) board.rename(each, nickname);
}
