// The host's page, drawn from its store: the running activity, the agenda and the participants.

import { drawTimer, phaseOf, questionOf, secondsLeft } from "../core/activity.js";
import { tokens, withToken } from "../core/api.js";
import { h } from "../core/dom.js";
import { formatTime, t } from "../core/i18n.js";
import { drawLeaderboard, drawRound } from "../elements/results_view.js";
import { countOf } from "../sdk/results.js";
import { drawButtons } from "./commands.js";
import { button, drawAgenda, drawAnswers, drawPeople, textsOf } from "./lists.js";
import { drawRehearsal, drawRehearsed } from "./rehearsal.js";

export function drawSession(store, commands, open) {
  const { session } = store;
  if (!session) return h("p", { class: store.message ? "bad" : "muted" }, store.message || t("state.loading"));
  return [
    h(
      "div",
      { class: "head", key: "head" },
      h("h1", { class: "grow", dir: "auto" }, session.title),
      h("span", { class: `chip ${session.status}` }, t(`host.${session.status}`)),
      h(
        "button",
        {
          type: "button",
          class: "code",
          onclick: open.invite,
          "aria-label": `${t("host.invite")}: ${session.join_code}`,
        },
        session.join_code,
      ),
      button(t("host.screen"), open.screen),
      h(
        "a",
        { class: "button", href: withToken(`~/host/s/${store.id}/report`, store.client.name, "token") },
        t("host.report"),
      ),
      button("?", open.keys, { class: "square", "aria-label": t("key.title") }),
    ),
    store.isOffline
      ? h("p", { class: "banner", key: "offline" }, offline(store), store.blocked ? ` ${store.blocked}` : null)
      : null,
    tokens.arePersistent ? null : h("p", { class: "banner plain", key: "no-storage" }, t("state.no_storage_link")),
    store.isNearCap ? h("p", { class: "banner", key: "near-cap", role: "status" }, t("host.near_cap")) : null,
    store.notice ? h("p", { class: "banner plain", key: "notice" }, store.notice) : null,
    store.isOutdated
      ? h(
          "p",
          { class: "banner plain", key: "updated", role: "status" },
          t("state.updated"),
          button(t("state.reload"), () => location.reload()),
        )
      : null,
    open.viewFaults.view(),
    drawRehearsed(store),
    h("p", { class: "bad", role: "alert", key: "message" }, store.message),
    h(
      "fieldset",
      { class: "board", key: "board", disabled: store.isOffline },
      h("div", { class: "stack" }, now(store, commands), drawAnswers(store)),
      h("div", { class: "stack" }, drawAgenda(store, open), drawPeople(store, open), drawRehearsal(store)),
    ),
  ];
}

// Returns the offline message, with the end of a running timer.
function offline({ shown }) {
  return secondsLeft(shown ?? {}) ? t("host.offline_until", { time: formatTime(shown.ends_at) }) : t("host.offline");
}

function now(store, commands) {
  const { shown, step, results } = store;
  return h(
    "section",
    { class: "card stack", key: "now", "aria-labelledby": "now-title" },
    h(
      "h2",
      { id: "now-title", dir: "auto" },
      shown ? questionOf(shown) : t(store.session.status === "draft" ? "host.lobby" : "host.none_running"),
    ),
    shown ? figures(store, shown) : null,
    shown
      ? h(
          "div",
          { class: "results" },
          results?.response_count
            ? [drawRound(results.results, shown, shownWith(store)), drawLeaderboard(store.ranks)]
            : h("p", { class: "muted", key: "none" }, nothing(store, shown)),
        )
      : null,
    shown?.anonymous && store.isRunning
      ? h(
          "p",
          { class: "muted small", key: "groups" },
          t(shown.min_group ? "host.in_groups" : "host.delayed", { n: shown.min_group }),
        )
      : null,
    h(
      "button",
      { type: "button", class: "primary wide next", key: "step", disabled: !step.act, onclick: step.act },
      t(`step.${step.name}`, step),
    ),
    store.undo
      ? h(
          "p",
          { class: "banner", key: "undo", role: "status" },
          t(`step.done.${store.undo.name}`),
          button(t("key.undo"), store.undo.act),
        )
      : null,
    store.session.status === "active"
      ? h("div", { class: "row wrap", key: "controls" }, controls(store, shown, commands))
      : null,
  );
}

// Returns what the view of results gets besides them.
const shownWith = ({ answers, shown, results, draw }) => ({
  phase: phaseOf(shown),
  responses: answers.filter((each) => !each.deleted && each.round === shown.round && each.moderation === "visible"),
  count: results.response_count,
  texts: textsOf(answers),
  redraw: () => draw(),
});

// Returns the text without results. An anonymous activity does not distinguish no answers from too few.
function nothing(store, { anonymous, min_group: n }) {
  if (anonymous && n) return t(store.isRunning ? "host.none_shown" : "host.withheld", { n });
  return t(store.isRunning ? "host.no_responses" : "results.none");
}

function figures(store, shown) {
  return h(
    "div",
    { class: "row wrap muted" },
    h(
      "span",
      { class: `chip ${shown.status}` },
      t(shown.status === "active" ? "host.running" : `host.${shown.status}`),
    ),
    h("span", { class: "strong" }, countOf(store.results)),
    shown.round > 1 ? h("span", {}, t("host.round_n", { n: shown.round })) : null,
    drawTimer(shown),
    store.session.overlay ? h("span", { class: "chip" }, t(`host.overlay.${store.session.overlay}`)) : null,
  );
}

function controls(store, shown, commands) {
  return [drawButtons(commands, store.step.name), shown ? button(t("host.round"), store.round) : null];
}
