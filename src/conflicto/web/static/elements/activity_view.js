// An activity on a screen: the type's own view, or else its options and results.

import { questionOf } from "../core/activity.js";
import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { image } from "../core/image.js";
import { choicesOf, typeKey, typeOf } from "../core/types.js";
import { drawLeaderboard, drawMore, drawResults, drawTables } from "../sdk/results.js";
import { viewOf } from "./views.js";

/** @import { Activity, ParticipantResponse, Shown } from "../shapes.js" */

// Own views that a screen shows, the first that there is. A view of results is shown from the start.
const VIEWS = ["screen", "results"];

/** @param {number} index */
const letterOf = (index) => String.fromCodePoint(65 + (index % 26));

/**
 * Draws an activity, with the visible results of this round (`counted`) and the visible responses.
 *
 * @param {Activity} activity
 * @param {Shown} shown
 */
export function drawActivity(
  activity,
  { phase, counted = null, responses = [], count = 0, ranks = null, isBroken = false, redraw = () => {} },
) {
  const large = textsOf(responses).get(activity.focus_response_id ?? "");
  if (large)
    return [
      h("p", { class: "focused-question", dir: "auto", key: "question" }, questionOf(activity)),
      h("h1", { class: "focus", dir: "auto", key: "focus" }, large),
    ];
  const key = typeKey(activity);
  const view = VIEWS.find((each) => typeOf(key).views.includes(each));
  const tag = view && !isBroken ? viewOf(key, view, redraw) : "failed";
  const shows =
    tag === "failed"
      ? drawDefault(activity, { phase, counted, responses, ranks })
      : tag && [
          h(tag, {
            key: `${activity.id} ${activity.round}`,
            unmanaged: true,
            class: "own-view",
            ".activity": activity,
            ".phase": phase,
            ".results": counted,
            ".responses": responses,
            ".count": count,
            ".ranks": ranks,
          }),
          view === "results" ? drawTables(counted, activity, { texts: textsOf(responses) }) : null,
        ];
  return [h("h1", { dir: "auto" }, questionOf(activity)), h("div", { class: "display" }, shows)];
}

/**
 * Returns the texts of responses by id.
 *
 * @param {ParticipantResponse[]} responses
 * @returns {Map<string, string>}
 */
export const textsOf = (responses) =>
  new Map(
    responses
      .filter((each) => typeof each.response_data?.text === "string")
      .map((each) => [each.id, each.response_data.text]),
  );

/**
 * @param {Activity} activity
 * @param {Shown} shown
 */
function drawDefault(activity, { phase, counted, responses = [], ranks }) {
  if (counted)
    return [
      h("div", { class: "results", key: "results" }, drawResults(counted, activity, { texts: textsOf(responses) })),
      phase === "revealed" ? drawLeaderboard(ranks) : null,
    ];
  const choices = choicesOf(activity).filter(({ text }) => text);
  if (!choices.length)
    return h("p", { class: "muted large", key: "hidden" }, phase === "locked" ? t("results.hidden") : "");
  return [
    h(
      "ol",
      { class: "options", key: "options" },
      choices.map(({ value, text, row }, index) =>
        h(
          "li",
          { key: value },
          h("span", { class: "letter", "aria-hidden": "true" }, letterOf(index)),
          image(row?.image),
          h("span", { dir: "auto" }, text),
        ),
      ),
    ),
    drawMore(),
  ];
}
