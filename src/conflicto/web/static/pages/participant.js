// The phone's page: finds out whether this browser has a seat, and shows the door or the room.

import { Caller, takeFromAddress, tokens } from "../core/api.js";
import { Door } from "../phone/door.js";
import { Room } from "../phone/room.js";

const main = document.getElementById("main");

function enter(session) {
  history.replaceState(null, "", `/p/${session}`);
  new Room(main, session, new Caller(`seat.${session}`), leave).open();
}

function leave(session, why) {
  tokens.drop(`seat.${session}`);
  history.replaceState(null, "", "/");
  new Door(main, enter, why).open("");
}

const [, kind, of] = location.pathname.split("/");
if (location.hash.startsWith("#admin=")) {
  takeFromAddress("admin", "admin");
  location.replace("/host");
} else if (kind === "p" && takeFromAddress("seat", `seat.${of}`)) {
  enter(of);
} else {
  new Door(main, enter).open(kind === "j" ? decodeURIComponent(of) : "");
}
