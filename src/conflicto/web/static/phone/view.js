// The view of a session on a phone, drawn from its state.

import { drawTimer, questionOf } from "../core/activity.js";
import { h } from "../core/dom.js";
import { boot, formatTime, loadDeferredTexts, t } from "../core/i18n.js";
import { isUnavailable, typeKey } from "../core/types.js";
import { viewClass, viewOf } from "../elements/views.js";

export const SENDING_MS = 400;

let charts = null;

export function drawSession(page, phase) {
  const session = page.fold.session;
  return [
    header(page, session),
    page.isOffline
      ? h(
          "p",
          { class: "banner", key: "offline" },
          page.blocked?.text ?? t("state.offline"),
          h("button", { type: "button", onclick: () => dispatchEvent(new Event("online")) }, t("state.retry")),
        )
      : null,
    page.isOutdated ? h("p", { class: "banner plain", key: "updated" }, t("state.updated"), reload()) : null,
    page.deferred?.drawNotices(page),
    h("section", { class: "now", key: "now" }, body(page, session, phase)),
  ];
}

function header(page, session) {
  return h(
    "div",
    { class: "seat", key: "seat" },
    h("p", { class: "strong grow", dir: "auto" }, session?.title ?? ""),
    h(
      "div",
      { class: "row" },
      typeof page.score === "number"
        ? h("p", { class: "chip", key: "score" }, t("results.points", { n: page.score }))
        : null,
      h(
        "details",
        { class: "menu", key: "menu", ontoggle: (event) => event.target.open && page.openMenu() },
        h("summary", { dir: "auto" }, page.me?.nickname ?? t("menu.title")),
        h("div", { class: "panel card stack" }, page.deferred?.drawPanel(page) ?? t("state.loading")),
      ),
    ),
  );
}

function body(page, session, phase) {
  if (!session) return h("p", { class: "muted" }, t("state.loading"));
  if (session.status === "completed") return [h("h1", {}, t("state.thanks")), h("p", {}, t("state.ended"))];
  if (!phase)
    return [
      h("h1", { dir: "auto" }, t("state.joined", { name: page.me?.nickname ?? "" })),
      h("p", {}, t(session.status === "draft" ? "state.waiting" : "state.between")),
      participants(page),
    ];
  return [
    h("h1", { key: `h ${page.slot}`, dir: "auto", tabindex: "-1" }, questionOf(page.activity)),
    phase === "open" ? drawTimer(page.activity) : null,
    phase === "open" || phase === "ready" ? disclosure(page.activity) : null,
    phase === "ready" ? null : view(page, phase),
    results(page, phase),
    footer(page, phase),
  ];
}

// Returns who sees the response and when it is deleted, from the activity's settings.
function disclosure({
  anonymous,
  min_group: n,
  responses_visibility: readers,
  results_visibility: audience,
  moderation,
}) {
  const days = boot.retention_days;
  const author = n > 0 ? "pool" : "anonymous";
  return h(
    "p",
    { class: "muted small", key: "privacy" },
    [
      t(`privacy.${anonymous ? author : "named"}`, { n }),
      t(`privacy.${readers}`),
      readers !== "host" && moderation === "before" ? t("privacy.before") : "",
      t(`privacy.results_${audience}`),
      days ? t("privacy.days", { n: days }) : t("privacy.unlimited"),
    ]
      .filter(Boolean)
      .join(" "),
  );
}

// Draws what replaces a view that failed: the reason, a way to try again, and the view of types without one.
function viewError(page, phase) {
  const isStopped = (page.failed?.reason ?? "fault") !== "fault";
  const again = h("button", { type: "button", onclick: () => page.retryView() }, t("view.again"));
  return [
    h(
      "div",
      { class: "stack", key: "cannot" },
      h("p", { class: "bad", role: "alert" }, t(isStopped ? "view.stopped" : "state.display_failed")),
      page.failed?.reason ? again : reload(),
    ),
    viewElement(viewOf("", "participant", page.draw), page, phase),
  ];
}

const reload = () => h("button", { type: "button", onclick: () => location.reload() }, t("state.reload"));

const participants = ({ participantCount: n }) =>
  n === null ? null : h("p", { class: "strong", key: "people" }, t("state.people", { n }));

function view(page, phase) {
  const tag = viewOf(typeKey(page.activity), "participant", page.draw);
  if (page.failed || tag === "failed") return viewError(page, phase);
  const lacks = tag && isUnavailable(page.activity);
  return [
    lacks ? h("p", { class: "bad", key: "lacks" }, t("problem.type-unavailable")) : null,
    viewElement(tag, page, phase),
  ];
}

function viewElement(tag, page, phase) {
  if (tag === null) return h("p", { class: "muted" }, t("state.loading"));
  if (tag === "failed") return null;
  const { activity, answers } = page;
  const isMany = activity.response_policy === "many";
  const waiting = page.waiting?.body;
  const mine = isMany ? null : (waiting ?? answers.at(-1) ?? null);
  const isDone = activity.response_policy === "first" && mine;
  return h(tag, {
    key: page.slot,
    unmanaged: true,
    ".activity": activity,
    ".phase": isDone && phase === "open" ? "locked" : phase,
    ".mine": mine,
    ".answers": answers,
    ".draft": page.draft?.response ?? null,
    ".responses": othersOf(page),
    ".results": page.results.get(page.slot)?.results ?? null,
  });
}

const ownClass = ({ activity, failed, draw }) =>
  failed ? undefined : viewClass(viewOf(typeKey(activity), "participant", draw));

function results(page, phase) {
  const found = page.results.get(page.slot);
  if (!found) return null;
  if (!charts) {
    charts = Promise.all([import("../elements/results_view.js"), loadDeferredTexts()]).then(([module]) => {
      charts = module;
      page.draw();
    });
  }
  if (!charts.drawRound) return null;
  const drawn = ownClass(page)?.showsResults
    ? []
    : [
        h("h2", {}, t("results.title")),
        charts.drawRound(found.results, page.activity, {
          phase,
          count: found.response_count,
          responses: othersOf(page),
          redraw: page.draw,
          mine: page.answers.at(-1)?.response_data,
          texts: textsOf(page),
        }),
      ];
  const own = found.ranks?.me
    ? h(
        "p",
        { class: "strong", key: "own" },
        `${t("leaderboard.own_rank", { rank: found.ranks.me.rank })} · ${t("results.points", { n: found.ranks.me.points })}`,
      )
    : null;
  const ranks = charts.drawLeaderboard(found.ranks, page.me?.id);
  return drawn.length || own || ranks
    ? h("section", { class: "results card", "aria-label": t("results.title") }, drawn, own, ranks)
    : null;
}

// Returns the visible responses of this round.
const othersOf = ({ others, activity }) =>
  [...(others.get(activity.id)?.fold.values() ?? [])].filter((each) => each.round === activity.round);

// Returns the texts of other participants' responses by id.
function textsOf({ others, activity }) {
  const known = [...(others.get(activity.id)?.fold.values() ?? [])].filter(
    (each) => typeof each.response_data?.text === "string",
  );
  return new Map(known.map((each) => [each.id, each.response_data.text]));
}

function footer(page, phase) {
  const { activity, answers, draft, waiting } = page;
  const isMany = activity.response_policy === "many";
  const canSend = phase === "open" && draft && draft.response !== null;
  const isInstant = ownClass(page)?.isInstant;
  const isFinal = activity.response_policy === "first" && (waiting || answers.length);
  const mayBegin = phase === "open" && !isFinal && !isInstant && (canSend || (!answers.length && !waiting) || isMany);
  const isUnready = !canSend || !draft.isComplete;
  return h(
    "div",
    { class: "action", key: "action" },
    receipt(page, phase),
    mayBegin && isUnready ? h("p", { class: "muted small", id: "why", key: "why" }, t("answer.missing")) : null,
    mayBegin
      ? h(
          "button",
          {
            class: "primary wide",
            key: "send",
            disabled: isUnready,
            "aria-describedby": isUnready ? "why" : null,
            onclick: () => page.answer(draft.response),
          },
          t(answers.length && !isMany ? "answer.change" : "answer.send"),
        )
      : null,
  );
}

// Shows "sending" only after a moment. Until then a blank line keeps the layout.
function pendingText({ isOffline, outbox, waiting }) {
  if (isOffline) return t(outbox.isPersistent ? "answer.queued" : "answer.queued_open");
  return Date.now() - waiting.at < SENDING_MS ? "\u00A0" : t("answer.sending");
}

function receipt(page, phase) {
  if (page.waiting) return h("p", { class: "wait", key: "receipt" }, pendingText(page));
  const last = page.answers.at(-1);
  const parts = [];
  if (last)
    parts.push(
      `✓ ${t(last.moderation === "pending" ? "answer.held" : "answer.received_at", { time: formatTime(last.received_at) })}`,
    );
  if (phase === "locked") parts.push(t("state.locked"));
  if (phase === "ready") parts.push(t("state.ready"));
  return parts.length ? h("p", { class: last ? "ok" : "muted", key: "receipt" }, parts.join(" · ")) : null;
}
