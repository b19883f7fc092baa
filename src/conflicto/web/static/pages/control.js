// The host's page of one session.

import { Caller } from "../core/api.js";
import { TimeTeller } from "../core/announce.js";
import { h, patch } from "../core/dom.js";
import { takeFromAddress } from "../elements/handover.js";
import { t } from "../core/words.js";
import { Board } from "../host/board.js";
import { commandsOf, drawKeys } from "../host/commands.js";
import { countsAreSaid, sayCounts } from "../host/counts.js";
import { begun, drawEditor } from "../host/editor.js";
import { begunFilter, drawFilter } from "../host/filter.js";
import { drawInvitation } from "../host/invitation.js";
import { drawBoard } from "../host/picture.js";
import { Starters } from "../host/starters.js";
import { keysAreOn, listen, switchKeys } from "../screen/keys.js";

const main = document.getElementById("main");
main.classList.replace("column", "desk");
const id = location.pathname.split("/").at(-1);
await takeFromAddress("token", `host.${id}`, `/sessions/${id}/links?limit=1`);
await takeFromAddress("admin", "admin", "/sessions?limit=1");

const dialog = document.createElement("dialog");
document.body.append(dialog);
let inside = null;
dialog.addEventListener("close", () => (inside = null));

const board = new Board(new Caller(`host.${id}`, "admin"), id, draw);
const starters = new Starters(board.caller, draw);
const teller = new TimeTeller();
const open = {
  starters,
  invite: () => show(() => drawInvitation(board, show, closing)), keys: () => show(keyList),
  screen: () => board.does(async () => window.open(await board.screenLink(), `screen-${id}`)),
  filter: () => say(begunFilter(board.session.word_filter)),
  make: (type, example = {}) => edit({ ...begun(type), ...example }), edit: (activity) => edit(begun(activity.type, activity)),
};
const commands = commandsOf(board, { help: open.keys });

main.replaceChildren();
draw();
listen(commands, () => board.isBusy);
setInterval(tick, 1_000);
board.open();

function tick() {
  teller.tick(board.shown);
  if (board.shown?.ends_at) draw();
}

function draw() {
  patch(main, drawBoard(board, commands, open));
  if (inside) patch(dialog, inside());
}

function show(picture) {
  inside = picture;
  patch(dialog, picture());
  if (!dialog.open) dialog.showModal();
}

// A type's own editor that fails gives way to the form.
function edit(edited) {
  dialog.onclose = () => dialog.removeEventListener("failed", failed);
  const failed = (event) => event.target.matches(".own-editor") && (edited.isBroken = true, draw());
  dialog.addEventListener("failed", failed);
  show(() => drawEditor(edited, board, { close: () => dialog.close(), draw }));
}

function say(edited) {
  show(() => drawFilter(edited, board, { close: () => dialog.close(), draw }));
}

const closing = () => h("form", { method: "dialog", key: "close" }, h("button", { class: "wide" }, t("host.close")));

function keyList() {
  const check = (key, isOn, put) => h("label", { class: "row check", key }, h("input", { type: "checkbox", checked: isOn, onchange: (event) => put(event.target.checked) }), t(key));
  return h("div", { class: "stack", key: "keys" },
    h("h2", {}, t("key.title")),
    drawKeys(commands),
    check("key.on", keysAreOn(), switchKeys),
    check("key.counts", countsAreSaid(), sayCounts),
    closing());
}
