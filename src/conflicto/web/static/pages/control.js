// The host's page of one session.

import { TimeAnnouncer } from "../core/announce.js";
import { Client, tokens } from "../core/api.js";
import { h, patch } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { moveOnWhenQuiet } from "../core/newer_page.js";
import { enableAppearance } from "../elements/appearance_loader.js";
import { adoptToken, awaitToken } from "../elements/link_token.js";
import { commandsOf, drawKeys } from "../host/commands.js";
import { areCountsAnnounced, setCountsAnnounced } from "../host/counts.js";
import { drawEditor, editorState } from "../host/editor.js";
import { drawFilter, filterState } from "../host/filter.js";
import { drawInvitation } from "../host/invitation.js";
import { SessionStore } from "../host/session_store.js";
import { RejectedTypes } from "../host/rejected_types.js";
import { SessionTypes } from "../host/session_types.js";
import { Starters } from "../host/starters.js";
import { drawSession } from "../host/view.js";
import { ViewFaults } from "../host/view_faults.js";
import { areKeysEnabled, enableKeys, listen } from "../screen/keys.js";

enableAppearance();

const PLACES = [
  [".own-editor", "editor"],
  [".phone-frame", "participant"],
  [".projector", "screen"],
];
const main = document.getElementById("main");
main.classList.replace("column", "desk");
const id = location.pathname.split("/").at(-1);
if (location.hash.startsWith("#admin=")) await leaveFor(`~/host${location.hash}`);
tokens.removeOperator();
await adoptToken("token", `host.${id}`, `/sessions/${id}/links?limit=1`);
if (location.hash === "#operator") await awaitToken(`host.${id}`);

const dialog = document.createElement("dialog");
document.body.append(dialog);
let inside = null;
dialog.addEventListener("close", () => (inside = null));

const store = new SessionStore(new Client(`host.${id}`), id, draw);
store.outdated = () => moveOnWhenQuiet(() => !store.isBusy && !store.isOffline && !store.undo);
const rejectedTypes = new RejectedTypes(store.client, draw);
const sessionTypes = new SessionTypes(store, draw);
const viewFaults = new ViewFaults(store, draw);
const starters = new Starters(store.client, draw);
const timeAnnouncer = new TimeAnnouncer();
const open = {
  starters,
  rejectedTypes,
  sessionTypes,
  viewFaults,
  invite: () => show(() => drawInvitation(store, show, closing)),
  keys: () => show(keyList),
  screen: () => store.run(async () => window.open(await store.screenLink(), `screen-${id}`)),
  filter: () => editFilter(filterState(store.session.word_filter)),
  create: (type, example = {}, version) => edit({ ...editorState(type, null, version), ...example }),
  edit: (activity) => edit(editorState(activity.type, activity)),
};
const commands = commandsOf(store, { help: open.keys });

main.replaceChildren();
draw();
listen(commands, () => store.isBusy);
setInterval(tick, 1_000);
void store.open();

// Never settles: the other page replaces this one.
function leaveFor(address) {
  location.replace(address);
  return new Promise(() => {});
}

function tick() {
  timeAnnouncer.tick(store.shown);
  if (store.shown?.ends_at) draw();
}

function draw() {
  patch(main, drawSession(store, commands, open));
  if (inside) patch(dialog, inside());
}

function show(picture) {
  inside = picture;
  patch(dialog, picture());
  if (!dialog.open) dialog.showModal();
}

// The form replaces a type's own editor that fails. The faults of editor and preview stand beside them.
function edit(edited) {
  dialog.onclose = () => dialog.removeEventListener("failed", failed);
  const failed = (event) => noteFault(edited, event.target, event.detail);
  dialog.addEventListener("failed", failed);
  show(() => drawEditor(edited, store, { close: () => dialog.close(), draw }));
}

async function noteFault(edited, target, { fault, error }) {
  const view = PLACES.find(([place]) => target.closest(place))?.[1];
  if (!view) return;
  edited.faults[view] = { type: edited.type, view }; // drawn at once
  draw();
  const { describeFault, faultOf } = await import("../elements/faults.js");
  edited.faults[view].text = describeFault(fault ?? { type: edited.type, view, ...faultOf(error, `${view}.js`) });
  draw();
}

function editFilter(edited) {
  show(() => drawFilter(edited, store, { close: () => dialog.close(), draw }));
}

const closing = () => h("form", { method: "dialog", key: "close" }, h("button", { class: "wide" }, t("host.close")));

function keyList() {
  const check = (key, isOn, put) =>
    h(
      "label",
      { class: "row check", key },
      h("input", { type: "checkbox", checked: isOn, onchange: (event) => put(event.target.checked) }),
      t(key),
    );
  return h(
    "div",
    { class: "stack", key: "keys" },
    h("h2", {}, t("key.title")),
    drawKeys(commands),
    check("key.on", areKeysEnabled(), enableKeys),
    check("key.counts", areCountsAnnounced(), setCountsAnnounced),
    closing(),
  );
}
