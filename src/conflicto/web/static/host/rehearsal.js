// A rehearsal: scripted participants who fill the session, and one click that removes them with all they answered.

import { h } from "../core/dom.js";
import { boot, t } from "../core/words.js";

const USUAL = 30;
const MOST = 200;

let wanted = USUAL;

// What is said as long as anybody here is scripted.
export function drawRehearsed(board) {
  const here = board.people.filter((each) => each.scripted).length;
  if (!here) return null;
  const isUnknown = board.shown?.status === "active" && !boot.types[board.shown.type];
  return h("div", { class: "banner row wrap", key: "rehearsed", role: "status" },
    h("span", { class: "grow basis" }, t("host.rehearsal_here", { n: here }), isUnknown ? ` ${t("host.rehearsal_unknown")}` : null),
    h("button", { type: "button", onclick: () => board.does(() => board.caller.delete(`${board.path}/rehearsal`)) }, t("host.rehearsal_remove")));
}

// What begins one, while nobody is.
export function drawRehearsal(board) {
  if (board.session.status === "completed" || board.people.some((each) => each.scripted)) return null;
  const onsubmit = (event) => {
    event.preventDefault();
    board.does(() => board.caller.post(`${board.path}/rehearsal`, { participants: wanted, language: document.documentElement.lang }));
  };
  return h("details", { class: "card", key: "rehearsal" },
    h("summary", { class: "strong" }, t("host.rehearsal")),
    h("form", { class: "stack inner", onsubmit },
      h("p", { class: "muted" }, t("host.rehearsal_hint")),
      h("label", { for: "rehearsal-people" }, t("host.rehearsal_people")),
      h("div", { class: "row wrap" },
        h("input", { id: "rehearsal-people", class: "grow basis", type: "number", min: 1, max: MOST, required: true, value: wanted, oninput: (event) => (wanted = event.target.valueAsNumber) }),
        h("button", { class: "primary" }, t("host.rehearse")))));
}
