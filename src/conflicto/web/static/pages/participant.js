// The phone's page: finds out whether this browser has a seat, and shows the door or the room.

import { Caller, tokens } from "../core/api.js";
import { boot, wordsForLater } from "../core/words.js";
import { Door } from "../phone/door.js";
import { Room } from "../phone/room.js";

const main = document.getElementById("main");

// Seats seldom move, so what is said of it comes when one does.
const arrival = () => Promise.all([import(`${boot.base}/phone/arrival.js`), wordsForLater()]).then(([module]) => module);

function enter(session) {
  history.replaceState(null, "", `~/p/${session}`);
  new Room(main, session, new Caller(`seat.${session}`), leave).open();
}

// `why` is said at the door; a seat that has moved is no reason to ask for a code.
function leave(session, why, isMoved = false) {
  tokens.drop(`seat.${session}`);
  document.querySelector("dialog")?.close();
  history.replaceState(null, "", "~/");
  if (isMoved) arrival().then(({ drawMoved }) => drawMoved(main, () => knock()), () => knock(why));
  else knock(why);
}

function knock(why = "", code = "", key = "") {
  history.replaceState(null, "", location.pathname + (key && location.hash)); // kept for a page that is loaded again
  new Door(main, enter, why).open(code, key);
}

const [kind, of] = location.pathname.split("/").slice(-2);
const given = new URLSearchParams(location.hash.slice(1));
if (location.hash.startsWith("#admin=")) {
  location.replace(`~/host${location.hash}`);
} else if (kind === "p" && given.has("move")) {
  arrival().then(({ Arrival }) => new Arrival(main, of, given.get("move"), { enter, elsewhere: () => knock() }).open());
} else if (kind === "p" && given.has("seat")) {
  Promise.all([import(`${boot.base}/elements/handover.js`), wordsForLater().catch(() => null)]).then(([{ takeFromAddress }]) => takeFromAddress("seat", `seat.${of}`, "/participants/me")).then(begin, begin);
} else begin();

function begin() {
  if (kind === "p" && tokens.get(`seat.${of}`)) enter(of);
  else knock("", ...(kind === "j" ? [decodeURIComponent(of), given.get("key") ?? ""] : []));
}
