// The door: a code, then a name. A code that came in the address is not asked for.

import { Again } from "../core/again.js";
import { Caller, Problem, freshKey, time, tokens } from "../core/api.js";
import { h, patch } from "../core/dom.js";
import { boot, t, wordsForLater } from "../core/words.js";
import { bounded } from "./bounded.js";

const MIN_LETTERS = 8;
const MAX_LETTERS = 10;

export class Door {
  #main; #enter;
  #code = "";
  #link = { letters: "", key: "" }; // came in the address; its key holds for its own code alone
  #lobby = null;
  #said = "";
  #names = [];
  #busy = false;
  #key = freshKey();
  #again = new Again();

  constructor(main, enter, said = "") {
    this.#main = main;
    this.#enter = enter;
    this.#said = said;
    main.replaceChildren();
  }

  open(code, key = "") {
    this.#code = code;
    this.#link = { letters: lettersOf(code), key };
    this.#draw();
    if (code) this.#look(code);
    else this.#main.querySelector("input").focus();
  }

  async #look(code) {
    this.#code = code;
    const letters = lettersOf(code);
    await this.#attempt(async () => {
      if (letters.length < MIN_LETTERS || letters.length > MAX_LETTERS) throw new Problem(404, { code: "code-unknown" });
      this.#lobby = await new Caller("none").get(`/sessions/by-code/${letters}`, { headers: this.#proof(), has: ["session_id", "title"] });
      if (tokens.get(`seat.${this.#lobby.session_id}`)) this.#enter(this.#lobby.session_id);
    });
  }

  async #join(nickname) {
    await this.#attempt(async () => {
      const seat = await new Caller("none").post("/join", { nickname, code: this.#code }, { key: this.#key, headers: this.#proof(), has: ["participant_token", "session"] });
      time.learn(seat.server_time);
      tokens.set(`seat.${seat.session.id}`, seat.participant_token);
      this.#enter(seat.session.id);
    });
  }

  #proof() {
    const { letters, key } = this.#link;
    return key && letters === lettersOf(this.#code) ? { "Link-Key": key } : {};
  }

  // What is said stays while a wait goes on, so that nobody hears the same refusal again and again.
  async #attempt(what, isAgain = false) {
    this.#again.stop();
    this.#busy = true;
    if (!isAgain) this.#said = "";
    let isWaiting = false;
    this.#draw();
    try {
      await what();
      if (!this.#isOpen()) return;
      this.#said = "";
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (problem.status) await wordsForLater().catch(() => null);
      this.#names = problem.body.suggestions ?? [];
      if (!problem.passes) this.#key = freshKey();
      if (problem.code === "code-unknown") this.#link.key = ""; // a key of an older code: what is sent next counts as typed
      const waitS = this.#again.after(problem, () => this.#isOpen() && this.#attempt(what, true));
      this.#said = waitS ? t("join.waits", { n: waitS }) : problem.code === "not-found" ? t("problem.code-unknown") : problem.text;
      isWaiting = waitS > 0;
    }
    this.#busy = false;
    this.#draw();
    if (!isWaiting) this.#main.querySelector("input")?.focus();
  }

  #isOpen() {
    return this.#main.querySelector("form[data-door]") !== null;
  }

  #draw() {
    patch(this.#main, this.#lobby ? this.#naming() : this.#coding());
  }

  #form(send, ...inside) {
    const onsubmit = (event) => {
      event.preventDefault();
      if (!this.#busy) send(event.target.elements[0].value);
    };
    return h("form", { class: "stack card", "data-door": true, onsubmit }, inside, h("p", { id: "said", class: "bad", role: "alert" }, this.#said));
  }

  #coding() {
    return [
      h("h1", {}, t("join.title")),
      this.#form((code) => this.#look(code),
        h("label", { for: "code" }, t("join.code")),
        h("input", {
          id: "code", class: "code-field", autocomplete: "off", autocapitalize: "characters", spellcheck: "false", required: true, key: "code",
          placeholder: "BCDF-GHJK", value: this.#code, "aria-describedby": "said",
        }),
        h("button", { class: "primary", disabled: this.#busy }, t("join.next"))),
    ];
  }

  #naming() {
    return [
      h("h1", { dir: "auto" }, this.#lobby.title),
      this.#lobby.status === "completed" ? h("p", {}, t("state.ended")) : this.#form((name) => this.#join(name),
        h("label", { for: "nickname" }, t("join.nickname")),
        h("input", {
          id: "nickname", key: "nickname", autocomplete: "nickname", ...bounded(boot.bounds.nickname), required: true, "aria-describedby": "said kept", dir: "auto",
        }),
        h("button", { class: "primary", disabled: this.#busy }, t("join.enter"))),
      this.#names.length ? h("p", { class: "row wrap" }, t("join.free"), this.#names.map((name) =>
        h("button", { type: "button", key: name, onclick: () => this.#join(name), dir: "auto" }, name))) : null,
      h("p", { id: "kept", class: "muted" }, t("join.kept")),
    ];
  }
}

function lettersOf(code) {
  return code.replace(/[^a-z]/gi, "");
}
