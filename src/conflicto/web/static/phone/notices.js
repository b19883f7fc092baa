// What a phone seldom has to say, and then until it is dismissed: answers that do not count, and answers that something in between holds up.

import { questionOf } from "../core/activity.js";
import { Problem, tokens } from "../core/api.js";
import { h } from "../core/dom.js";
import { choicesOf } from "../core/types.js";
import { shown, t } from "../core/words.js";

export function drawNotices(room) {
  const { outbox, refused } = room;
  const blocked = (outbox?.entries ?? []).filter(({ key }) => outbox.blocked.has(key));
  return [
    tokens.areKept ? null : h("p", { class: "banner plain", key: "unkept" }, t("state.unkept")),
    ...blocked.map((entry) => notice(`blocked ${entry.key}`, outbox.blocked.get(entry.key).text, t("answer.blocked"), titled(room, entry.of), entry.body.response_data)),
    ...refused.filter(({ of, body }) => body.code !== "unsent" || !room.isOpen(of)).map((each) => [
      notice(each.key, textOf(each), null, titled(room, each.of, each.question), each.data, h("button", { type: "button", onclick: () => room.dismiss(each.key) }, t("notice.dismiss")))]),
  ];
}

const notice = (key, why, more, { activity, question }, data, button) => h("div", { class: "card stack-tight notice", key, role: "alert" },
  h("p", { class: "bad" }, why), more ? h("p", {}, more) : null,
  h("p", { dir: "auto" }, h("span", { class: "muted" }, question, " "), h("span", { class: "strong" }, said(activity, data))), button);

const titled = ({ fold }, of, question) => {
  const activity = fold.of.activity.get(of.split(" ")[0])?.data;
  return { activity, question: activity ? questionOf(activity) : question };
};

export const textOf = ({ status, body }) => new Problem(status, body).text;

// An answer in words, whatever its type: ids of options by their texts.
export function said(activity, data) {
  const texts = new Map((activity ? choicesOf(activity) : []).map(({ value, text }) => [value, text ?? value]));
  const words = (value) => {
    if (value !== null && typeof value === "object") return Object.values(value).flatMap(words);
    return [texts.get(value) ?? (typeof value === "number" ? shown(value) : String(value))];
  };
  return words(data).join(" · ");
}
