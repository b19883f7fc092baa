// The seat's menu: the name, the score, one's own answers, the way to another phone, how pages look, and the way out.

import { h } from "../core/dom.js";
import { boot, t } from "../core/words.js";
import { bounded } from "./bounded.js";

// Called when the menu is first opened, for what is only needed there.
const load = (room) => import(`${boot.base}/phone/seat.js`).then((module) => new module.Seat(room));

export function drawPanel(room) {
  return [
    h("form", { class: "stack", onsubmit: (event) => renamed(event, room) },
      h("label", { for: "new-name" }, t("menu.rename")),
      h("input", { id: "new-name", ...bounded(boot.bounds.nickname), value: room.me?.nickname ?? "", required: true, dir: "auto" }),
      h("p", { class: "bad", role: "alert" }, room.renaming ?? ""),
      h("button", { class: "primary" }, t("menu.save"))),
    typeof room.score === "number" ? h("p", { class: "strong", key: "score" }, t("menu.score", { n: room.score })) : null,
    button(t("menu.answers"), () => load(room).then((seat) => seat.showAnswers())),
    button(t("menu.move"), () => load(room).then((seat) => seat.showLink())),
    h("div", { key: "looks", own: true, "data-looks-place": true }),
    button(t("menu.leave_keep"), () => confirm(t("menu.leave_keep_sure")) && leave(room, "keep")),
    button(t("menu.leave"), () => confirm(leaving(room)) && leave(room, "delete"), { class: "danger" })];
}

// What was released is nobody's any more, so leaving cannot delete it.
const leaving = ({ fold }) => t("menu.leave_sure") + (fold.alive("activity").some((each) => each.anonymous) ? ` ${t("menu.leave_stays")}` : "");

const button = (words, onclick, props = {}) => h("button", { type: "button", key: words, onclick: (event) => (close(event), onclick()), ...props }, words);

function close(event) {
  event.target.closest("details").open = false;
}

async function renamed(event, room) {
  event.preventDefault();
  const menu = event.target.closest("details");
  try {
    const me = await room.caller.patch("/participants/me", { nickname: event.target.elements["new-name"].value });
    room.fold.take([{ entity: "participant", id: me.id, revision: me.revision, data: me }]);
    room.renaming = null;
    menu.open = false;
  } catch (problem) {
    room.renaming = problem.text;
  }
  room.draw();
}

// How many points there are to tell; between two questions nothing else says so.
export async function knowScore(room) {
  room.score = (await room.caller.get("/participants/me").catch(() => null))?.points ?? room.score;
  room.draw();
}

// `answers`: keep or delete. Who has not heard from the server is still in.
async function leave(room, answers) {
  const problem = await room.caller.delete(`/participants/me?responses=${answers}`).catch((each) => each);
  if (problem?.passes) alert(problem.text);
  else room.quit();
}
