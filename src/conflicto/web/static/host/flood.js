// When strangers flood a session: another code, and many people removed at once, counted before.

import { time } from "../core/api.js";
import { h } from "../core/dom.js";
import { boot, t } from "../core/words.js";
import { drawSimple, select } from "./fields.js";

const MINUTES = [1, 5, 15, 60];

const asked = { part: "", minutes: "0", isErased: true };
let counted = null; // { n, body }: how many it would be, and of whom that was said

export const renewCode = (board) => confirm(t("host.new_code_sure")) && board.ask("join-code");

export function drawFlood(board) {
  const put = (name) => (value) => (asked[name] = value, counted = null, board.draw());
  const onsubmit = (event) => (event.preventDefault(), count(board));
  return h("details", { class: "adding", key: "flood" },
    h("summary", { class: "button wide" }, t("host.flood")),
    h("form", { class: "stack inner", onsubmit },
      h("label", { for: "flood-part" }, t("host.flood_part")),
      h("input", { id: "flood-part", maxlength: boot.bounds.nickname, dir: "auto", autocomplete: "off", value: asked.part, oninput: (event) => put("part")(event.target.value) }),
      select({ id: "flood-since", label: t("host.flood_since"), value: asked.minutes, put: put("minutes") },
        [["0", t("host.flood_any")], ...MINUTES.map((n) => [`${n}`, t("host.flood_last", { n })])]),
      drawSimple({ id: "flood-erase", label: t("host.flood_erase"), field: { type: "boolean" }, value: asked.isErased, put: put("isErased") }),
      h("div", { class: "row wrap" },
        h("button", { key: "count", disabled: !asked.part.trim() && asked.minutes === "0" }, t("host.flood_count")),
        counted?.n ? h("button", { type: "button", class: "danger", key: "remove", onclick: () => remove(board) }, t("host.flood_remove", { n: counted.n })) : null),
      h("p", { class: "muted", role: "status", key: "none" }, counted?.n === 0 ? t("host.flood_none") : "")));
}

const send = (board, body) => board.caller.post(`${board.path}/participants/remove`, body);

function body() {
  const since = Number(asked.minutes) && new Date(time.now() - asked.minutes * 60_000).toISOString();
  return { ...(asked.part.trim() ? { name_contains: asked.part } : {}), ...(since ? { joined_since: since } : {}), responses: asked.isErased ? "delete" : "keep" };
}

async function count(board) {
  const wanted = body();
  const told = await board.does(() => send(board, { ...wanted, preview: true }));
  counted = told ? { n: told.matching, body: wanted } : null;
  board.draw();
}

// The server removes so many in one go and says how many are left.
async function remove(board) {
  const { body: wanted } = counted;
  for (let left = counted.n; left > 0;) {
    left = (await board.does(() => send(board, wanted)))?.matching ?? 0;
    counted = left ? { n: left, body: wanted } : null;
    board.draw();
  }
}
