// The menu of a seat: nickname, score, responses, transfer to another phone, appearance, and leaving.

import { h } from "../core/dom.js";
import { boot, t } from "../core/i18n.js";
import { limitLength } from "./length_limit.js";

// Loads the dialogs of the menu on first use.
const load = (page) => import("./seat.js").then((module) => new module.SeatDialog(page));

export function drawPanel(page) {
  return [
    h(
      "form",
      { class: "stack", onsubmit: (event) => renamed(event, page) },
      h("label", { for: "new-name" }, t("menu.rename")),
      h("input", {
        id: "new-name",
        ...limitLength(boot.limits.nickname),
        value: page.me?.nickname ?? "",
        required: true,
        dir: "auto",
      }),
      h("p", { class: "bad", role: "alert" }, page.renameError ?? ""),
      h("button", { class: "primary" }, t("menu.save")),
    ),
    typeof page.score === "number"
      ? h("p", { class: "strong", key: "score" }, t("menu.score", { n: page.score }))
      : null,
    button(t("menu.answers"), () => load(page).then((seat) => seat.showAnswers())),
    button(t("menu.move"), () => load(page).then((seat) => seat.showLink())),
    h("div", { key: "appearance", unmanaged: true, "data-appearance-place": true }),
    button(t("menu.leave_keep"), () => confirm(t("menu.leave_keep_sure")) && leave(page, "keep")),
    button(t("menu.leave"), () => confirm(leaveQuestion(page)) && leave(page, "delete"), { class: "danger" }),
  ];
}

// Released anonymous responses have no author, so leaving cannot delete them.
const leaveQuestion = ({ fold }) =>
  t("menu.leave_sure") + (fold.all("activity").some((each) => each.anonymous) ? ` ${t("menu.leave_stays")}` : "");

const button = (label, onclick, props = {}) =>
  h("button", { type: "button", key: label, onclick: (event) => closeThen(event, onclick), ...props }, label);

function closeThen(event, action) {
  close(event);
  action();
}

function close(event) {
  event.target.closest("details").open = false;
}

async function renamed(event, page) {
  event.preventDefault();
  const menu = event.target.closest("details");
  try {
    const me = await page.client.patch("/participants/me", { nickname: event.target.elements["new-name"].value });
    page.fold.apply([{ entity: "participant", id: me.id, revision: me.revision, data: me }]);
    page.renameError = null;
    menu.open = false;
  } catch (problem) {
    page.renameError = problem.text;
  }
  page.draw();
}

// Fetches the score, which no other request returns between activities.
export async function fetchScore(page) {
  page.score = (await page.client.get("/participants/me").catch(() => null))?.points ?? page.score;
  page.draw();
}

// `answers` is keep or delete. Without a response of the server the participant stays.
async function leave(page, answers) {
  const problem = await page.client.delete(`/participants/me?responses=${answers}`).catch((each) => each);
  if (problem?.isTransient) alert(problem.text);
  else page.quit();
}
