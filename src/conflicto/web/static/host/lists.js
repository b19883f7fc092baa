// Lists of the host's page: responses, activities in their order, and participants.

import { questionOf } from "../core/activity.js";
import { h } from "../core/dom.js";
import { boot, t } from "../core/i18n.js";
import { titleOf, typeKey, typeOf } from "../core/types.js";
import { responseText } from "../core/value_text.js";
import { drawBulkRemoval, renewCode } from "./bulk_removal.js";
import { drawListFooter } from "./list_footer.js";

export const button = (words, onclick, props = {}) =>
  h("button", { type: "button", onclick, key: words, ...props }, words);

const textOf = ({ response_data: data }) => (typeof data?.text === "string" ? data.text : null);
export const textsOf = (answers) =>
  new Map(
    answers.filter((each) => textOf(each) && each.moderation === "visible").map((each) => [each.id, textOf(each)]),
  );

export function drawAnswers(store) {
  const shown = store.shown;
  const listed = store.answers.filter((each) => !each.deleted && (textOf(each) || !each.response_data?.target));
  if (!shown || !listed.length) return null;
  const order = { pending: 0, visible: 1, hidden: 2 };
  const sorted = [...listed].sort(
    (a, b) => order[a.moderation] - order[b.moderation] || (a.created_at < b.created_at ? 1 : -1),
  );
  const waiting = listed.filter((each) => each.moderation === "pending").length;
  return h(
    "section",
    { class: "card stack", key: "answers" },
    h(
      "h2",
      { class: "row wrap" },
      t("host.answers"),
      waiting ? h("span", { class: "chip", key: "waiting" }, t("host.waiting_n", { n: waiting })) : null,
    ),
    drawRandomFocus(
      store,
      sorted.filter((each) => mayStandOut(store, each)),
    ),
    h(
      "ul",
      { class: "rows" },
      sorted.map((each) =>
        h(
          "li",
          { key: each.id, class: `row wrap ${each.moderation}` },
          h("span", { class: "grow basis", dir: "auto" }, textOf(each) ?? responseText(shown, each.response_data)),
          each.moderation === "visible" ? null : h("span", { class: "chip" }, t(`host.${each.moderation}`)),
          mayStandOut(store, each) ? focus(store, each) : null,
          isModerated(store, each) ? moderation(store, each) : null,
        ),
      ),
    ),
    store.hasMoreAnswers ? h("p", { class: "muted", key: "more" }, t("host.answers_cut")) : null,
  );
}

// A response can be shown alone if the screen shows responses.
const mayStandOut = ({ shown, session }, each) =>
  session.status !== "completed" &&
  shown.responses_visibility !== "host" &&
  each.moderation === "visible" &&
  each.round === shown.round &&
  textOf(each) !== null;

function focus(store, each) {
  const isOn = store.shown.focus_response_id === each.id;
  return button(t("host.focus"), () => store.focus(isOn ? null : each.id), {
    "aria-pressed": String(isOn),
    "aria-label": `${t("host.focus")}: ${textOf(each)}`,
  });
}

// Shows a response by chance, and another one at each click.
function drawRandomFocus(store, candidates) {
  if (candidates.length < 2) return null;
  const others = candidates.filter((each) => each.id !== store.shown.focus_response_id);
  const show = () => store.focus(others[Math.floor(Math.random() * others.length)].id);
  return h("div", { class: "row wrap", key: "random" }, button(t("host.focus_random"), show));
}

// Responses that the word filter holds can be approved in every activity.
const isModerated = ({ shown, session }, each) =>
  shown.moderation !== "off" || each.moderation !== "visible" || session.word_filter.mode === "hold";

function moderation(store, each) {
  return [
    each.moderation === "visible"
      ? null
      : button(t(each.moderation === "pending" ? "host.approve" : "host.show_answer"), () =>
          store.moderate(each, "visible"),
        ),
    each.moderation === "hidden"
      ? null
      : button(t("host.hide_answer"), () => store.moderate(each, "hidden"), { class: "danger" }),
  ];
}

export function drawAgenda(store, open) {
  const { activities, session, shown } = store;
  const mayChange = session.status !== "completed";
  return h(
    "section",
    { class: "card stack", key: "agenda" },
    h("h2", {}, t("host.activities")),
    activities.length
      ? h(
          "ol",
          { class: "rows" },
          activities.map((each, index) =>
            h(
              "li",
              { key: each.id, class: each.id === shown?.id ? "is-shown" : null },
              h(
                "div",
                { class: "row" },
                h("span", { class: "icon", "aria-hidden": "true" }, typeOf(typeKey(each)).icon ?? "{ }"),
                h("span", { class: "grow", dir: "auto" }, questionOf(each)),
                each.status === "draft"
                  ? null
                  : h(
                      "span",
                      { class: `chip ${each.status}` },
                      t(each.status === "active" ? "host.running" : `host.${each.status}`),
                    ),
              ),
              mayChange ? h("div", { class: "row wrap tools" }, tools(store, each, index, open)) : null,
            ),
          ),
        )
      : empty(open, mayChange),
    mayChange ? adding(open) : null,
  );
}

// Draws suggestions for an empty session.
function empty(open, mayChange) {
  return [
    h("p", { class: "muted", key: "empty" }, t("host.empty")),
    mayChange
      ? h(
          "div",
          { class: "stack-tight", key: "starters" },
          open.starters.all.map(({ type, icon, text, config, secret }) =>
            button(
              [
                h("span", { class: "icon", "aria-hidden": "true" }, icon),
                h("span", { class: "grow", dir: "auto" }, text),
              ],
              () => open.create(type, { config, secret }),
              { class: "starter", key: type },
            ),
          ),
        )
      : null,
  ];
}

function tools(store, each, index, open) {
  const named = (words) => ({ "aria-label": `${words}: ${questionOf(each)}` });
  const isActive = store.session.status === "active";
  const canStart = isActive && (each.status === "draft" || each.status === "published");
  const canShow = isActive && !store.isRunning && each.status === "expired" && each.id !== store.shown?.id;
  return [
    canStart ? button(t("host.start"), () => store.start(each), named(t("host.start"))) : null,
    canShow ? button(t("host.show"), () => store.show(each), named(t("host.show"))) : null,
    button(t("host.edit"), () => open.edit(each), named(t("host.edit"))),
    button("↑", () => store.move(each, -1), { ...named(t("host.up")), class: "square", disabled: index === 0 }),
    button("↓", () => store.move(each, 1), {
      ...named(t("host.down")),
      class: "square",
      disabled: index === store.activities.length - 1,
    }),
    button(t("host.duplicate"), () => store.copy(each), named(t("host.duplicate"))),
    button("×", () => confirm(t("host.delete_sure", { title: questionOf(each) })) && store.remove(each), {
      ...named(t("host.delete")),
      class: "square danger",
    }),
  ];
}

function adding(open) {
  return h(
    "details",
    { class: "adding" },
    h("summary", { class: "button wide" }, `+ ${t("host.add")}`),
    h(
      "div",
      { class: "types" },
      Object.entries(boot.types).map(([type, { icon }]) =>
        button([h("span", { class: "icon", "aria-hidden": "true" }, icon), titleOf(type)], () => open.create(type), {
          key: type,
        }),
      ),
      open.sessionTypes.items.map(({ type, type_version, icon, title }) =>
        button(
          [h("span", { class: "icon", "aria-hidden": "true" }, icon), title],
          () => open.create(type, {}, type_version),
          { key: type_version },
        ),
      ),
      button(
        [h("span", { class: "icon", "aria-hidden": "true" }, "{ }"), t("host.add_other")],
        () => open.create("custom"),
        { key: "+" },
      ),
    ),
    open.sessionTypes.view(),
    open.rejectedTypes.view(),
  );
}

const filterStatus = ({ word_filter: { mode } }) => `host.filter_is_${mode}`;

export function drawPeople(store, open) {
  const { people: here, session } = store;
  return h(
    "details",
    { class: "card", key: "people" },
    h(
      "summary",
      { class: "strong" },
      `${t("host.participants")} · ${t("host.participants_n", { n: store.peopleCount })}`,
    ),
    h(
      "div",
      { class: "stack inner" },
      session.status === "completed"
        ? null
        : h(
            "div",
            { class: "row wrap", key: "room" },
            button(t(session.locked ? "host.allow_joins" : "host.stop_joins"), () => store.setLocked(!session.locked)),
            button(t("host.new_code"), () => renewCode(store), { key: "code" }),
            button(`${t("host.filter")}: ${t(filterStatus(session))}`, open.filter, { key: "filter" }),
          ),
      here.length
        ? h(
            "ul",
            { class: "rows" },
            here.map((each) =>
              h(
                "li",
                { key: each.id, class: "row wrap" },
                h("span", { class: "grow basis", dir: "auto" }, each.nickname),
                each.scripted ? h("span", { class: "chip" }, t("host.scripted")) : null,
                button(t("host.rename"), () => renamed(store, each), {
                  "aria-label": `${t("host.rename")}: ${each.nickname}`,
                }),
                button(
                  t("host.kick"),
                  () => confirm(t("host.kick_sure", { name: each.nickname })) && store.kick(each),
                  { class: "danger", "aria-label": `${t("host.kick")}: ${each.nickname}` },
                ),
              ),
            ),
          )
        : h("p", { class: "muted" }, t("host.no_participants")),
      store.hasMorePeople ? drawListFooter(here.length, store.peopleCount, store.loadMorePeople) : null,
      here.length && session.status !== "completed" ? drawBulkRemoval(store) : null,
    ),
  );
}

function renamed(store, each) {
  const nickname = prompt(t("host.rename_to", { name: each.nickname }), each.nickname);
  if (nickname && nickname !== each.nickname) store.rename(each, nickname);
}
