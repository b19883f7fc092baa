// Notices of a phone: responses that do not count, until they are dismissed, and responses that the network blocks.

import { questionOf } from "../core/activity.js";
import { Problem, tokens } from "../core/api.js";
import { h } from "../core/dom.js";
import { formatNumber, t } from "../core/i18n.js";
import { choicesOf } from "../core/types.js";

export function drawNotices(page) {
  const { outbox, refused } = page;
  const blocked = (outbox?.entries ?? []).filter(({ key }) => outbox.blocked.has(key));
  return [
    tokens.arePersistent ? null : h("p", { class: "banner plain", key: "no-storage" }, t("state.no_storage")),
    ...blocked.map((entry) =>
      drawNotice(
        `blocked ${entry.key}`,
        outbox.blocked.get(entry.key).text,
        t("answer.blocked"),
        questionOfEntry(page, entry.of),
        entry.body.response_data,
      ),
    ),
    ...refused
      .filter(({ of, body }) => body.code !== "unsent" || !page.isOpen(of))
      .map((each) => [
        drawNotice(
          each.key,
          problemText(each),
          null,
          questionOfEntry(page, each.of, each.question),
          each.data,
          h("button", { type: "button", onclick: () => page.dismiss(each.key) }, t("notice.dismiss")),
        ),
      ]),
  ];
}

const drawNotice = (key, reason, more, { activity, question }, data, button) =>
  h(
    "div",
    { class: "card stack-tight notice", key, role: "alert" },
    h("p", { class: "bad" }, reason),
    more ? h("p", {}, more) : null,
    h(
      "p",
      { dir: "auto" },
      h("span", { class: "muted" }, question, " "),
      h("span", { class: "strong" }, responseText(activity, data)),
    ),
    button,
  );

const questionOfEntry = ({ fold }, of, question) => {
  const activity = fold.entities.activity.get(of.split(" ")[0])?.data;
  return { activity, question: activity ? questionOf(activity) : question };
};

export const problemText = ({ status, body }) => new Problem(status, body).text;

// Returns a response of any type as text, with the texts of chosen options.
export function responseText(activity, data) {
  const texts = new Map((activity ? choicesOf(activity) : []).map(({ value, text }) => [value, text ?? value]));
  const words = (value) => {
    if (value !== null && typeof value === "object") return Object.values(value).flatMap(words);
    return [texts.get(value) ?? (typeof value === "number" ? formatNumber(value) : String(value))];
  };
  return words(data).join(" · ");
}
