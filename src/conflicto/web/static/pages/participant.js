// The phone's page: shows the session if this browser has a seat, else the form to join.

import { Client, tokens } from "../core/api.js";
import { loadDeferredTexts } from "../core/i18n.js";
import { enableAppearance } from "../elements/appearance_loader.js";
import { JoinForm } from "../phone/join.js";
import { SessionPage } from "../phone/session_page.js";

enableAppearance();

const main = document.getElementById("main");

// Loads the pages of a seat transfer, which is rare.
const loadSeatTransfer = () =>
  Promise.all([import("../phone/seat_transfer.js"), loadDeferredTexts()]).then(([module]) => module);

function enter(session) {
  history.replaceState(null, "", `~/p/${session}`);
  void new SessionPage(main, session, new Client(`seat.${session}`), leave).open();
}

// Leaves a session. The join form shows `reason`; a moved seat has its own page.
function leave(session, reason, isMoved = false) {
  tokens.remove(`seat.${session}`);
  document.querySelector("dialog")?.close();
  history.replaceState(null, "", "~/");
  if (isMoved)
    loadSeatTransfer().then(
      ({ drawMoved }) => drawMoved(main, () => showJoin()),
      () => showJoin(reason),
    );
  else showJoin(reason);
}

function showJoin(reason = "", code = "", key = "") {
  history.replaceState(null, "", location.pathname + (key && location.hash)); // the key stays for a reload
  new JoinForm(main, enter, reason).open(code, key);
}

const [kind, of] = location.pathname.split("/").slice(-2);
const fragment = new URLSearchParams(location.hash.slice(1));
const isOperators = location.hash.startsWith("#admin=");
if (!isOperators) tokens.removeOperator();
if (isOperators) {
  location.replace(`~/host${location.hash}`);
} else if (kind === "p" && fragment.has("move")) {
  void loadSeatTransfer().then(({ SeatTransfer }) =>
    new SeatTransfer(main, of, fragment.get("move"), { enter, startOver: () => showJoin() }).open(),
  );
} else if (kind === "p" && fragment.has("seat")) {
  Promise.all([import("../elements/link_token.js"), loadDeferredTexts().catch(() => null)])
    .then(([{ adoptToken }]) => adoptToken("seat", `seat.${of}`, "/participants/me"))
    .then(begin, begin);
} else begin();

function begin() {
  if (kind === "p" && tokens.get(`seat.${of}`)) enter(of);
  else showJoin("", ...(kind === "j" ? [decodeURIComponent(of), fragment.get("key") ?? ""] : []));
}
