// The host's page of one session.

import { Caller, Problem, takeFromAddress } from "../core/api.js";
import { h, patch } from "../core/dom.js";
import { keysAreOn, listen, switchKeys } from "../core/keys.js";
import { boot, t } from "../core/words.js";
import { Board } from "../host/board.js";
import { begun, drawEditor } from "../host/editor.js";
import { begunFilter, drawFilter } from "../host/filter.js";
import { drawBoard } from "../host/picture.js";

const main = document.getElementById("main");
main.classList.replace("column", "desk");
const id = location.pathname.split("/")[3];
takeFromAddress("token", `host.${id}`);
takeFromAddress("admin", "admin");

const dialog = document.createElement("dialog");
document.body.append(dialog);
let inside = null;
dialog.addEventListener("close", () => (inside = null));

const board = new Board(new Caller(`host.${id}`, "admin"), id, draw);
const open = {
  invite: () => show(invitation), keys: () => show(keyList),
  screen: () => board.does(async () => window.open(await board.screenLink(), `screen-${id}`)),
  filter: () => say(begunFilter(board.session.word_filter)),
  make: (type) => edit(begun(type)), edit: (activity) => edit(begun(activity.type, activity)),
};
const bindings = [
  { keys: [" ", "Enter", "ArrowRight", "PageDown"], shown: "␣ ⏎ →", does: "next", works: () => Boolean(board.session && board.step.act), act: () => board.step.act() },
  { keys: ["h"], shown: "H", does: "results", works: () => board.shown?.results_visibility === "after_reveal", act: () => board.reveal(!board.shown.results_revealed) },
  { keys: ["l"], shown: "L", does: "lock", works: () => board.shown?.status === "active" || (board.shown?.status === "expired" && !board.shown.results_revealed), act: () => (board.shown.status === "active" ? board.lock() : board.reopen()) },
  { keys: ["+"], shown: "+", does: "time", works: () => Boolean(board.shown?.status === "active" && board.shown.ends_at), act: () => board.tell(board.shown, "extend", { seconds: 30 }) },
  { keys: ["j"], shown: "J", does: "join", works: () => Boolean(board.session), act: open.invite },
  { keys: ["?"], shown: "?", does: "help", works: () => true, act: open.keys },
];

main.replaceChildren();
draw();
listen(bindings);
setInterval(() => board.shown?.ends_at && draw(), 1_000);
board.open().catch((problem) => {
  if (!(problem instanceof Problem)) throw problem;
  board.said = problem.status === 401 ? t("host.no_token") : problem.text;
  draw();
});

function draw() {
  patch(main, drawBoard(board, open));
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

function invitation() {
  const origin = boot.public_url || location.origin;
  const code = board.session.join_code;
  return h("div", { class: "stack invitation", key: "invite" },
    h("h2", {}, t("host.invite")),
    h("img", { class: "qr", src: `/qr/${code}.svg`, alt: t("screen.qr") }),
    h("p", { class: "big-code" }, code),
    h("p", {}, origin.replace(/^https?:\/\//, "")),
    linkRow("host.phone_link", async () => `${origin}/j/${code.replace("-", "")}`),
    linkRow("host.screen_link", async () => origin + (await board.screenLink())),
    linkRow("host.cohost", async () => origin + (await board.cohostLink())),
    closing());
}

// Where the clipboard is out of reach, as over plain http, the link is shown to be copied by hand.
function linkRow(key, link) {
  const copy = async (event) => {
    const target = event.currentTarget;
    const text = await board.does(link);
    if (!text) return;
    const isCopied = await navigator.clipboard?.writeText(text).then(() => true, () => false);
    if (isCopied) target.textContent = t("host.copied");
    else prompt(t(key), text);
  };
  return h("div", { class: "row", key }, h("span", { class: "grow" }, t(key)), h("button", { type: "button", onclick: copy, "aria-label": `${t("host.copy")}: ${t(key)}` }, t("host.copy")));
}

function keyList() {
  return h("div", { class: "stack", key: "keys" },
    h("h2", {}, t("host.keys")),
    h("dl", { class: "keys" }, bindings.filter((each) => each.works()).map((each) => h("div", { key: each.does, class: "row" }, h("dt", {}, h("kbd", {}, each.shown)), h("dd", {}, t(`host.key.${each.does}`))))),
    h("label", { class: "row check" }, h("input", { type: "checkbox", checked: keysAreOn(), onchange: (event) => switchKeys(event.target.checked) }), t("host.key.off")),
    closing());
}
