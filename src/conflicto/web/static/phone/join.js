// The form to join: a code, then a nickname. A code in the address skips the first step.

import { Client, Problem, newKey, time, tokens } from "../core/api.js";
import { h, patch } from "../core/dom.js";
import { boot, loadDeferredTexts, t } from "../core/i18n.js";
import { Retry } from "../core/retry.js";
import { limitLength } from "./length_limit.js";

const MIN_LETTERS = 8;
const MAX_LETTERS = 10;

export class JoinForm {
  #main;
  #enter;
  #code = "";
  #link = { letters: "", key: "" }; // from the address; the key belongs to this code alone
  #found = null;
  #message = "";
  #suggestions = [];
  #isBusy = false;
  #key = newKey();
  #retry = new Retry();

  constructor(main, enter, message = "") {
    this.#main = main;
    this.#enter = enter;
    this.#message = message;
    main.replaceChildren();
  }

  open(code, key = "") {
    this.#code = code;
    this.#link = { letters: lettersOf(code), key };
    this.#draw();
    if (code) void this.#lookUp(code);
    else this.#main.querySelector("input").focus();
  }

  async #lookUp(code) {
    this.#code = code;
    const letters = lettersOf(code);
    await this.#attempt(async () => {
      if (letters.length < MIN_LETTERS || letters.length > MAX_LETTERS)
        throw new Problem(404, { code: "code-unknown" });
      this.#found = await new Client("none").get(`/sessions/by-code/${letters}`, {
        headers: this.#linkHeaders(),
        required: ["session_id", "title"],
      });
      if (tokens.get(`seat.${this.#found.session_id}`)) this.#enter(this.#found.session_id);
    });
  }

  async #join(nickname) {
    await this.#attempt(async () => {
      const seat = await new Client("none").post(
        "/join",
        { nickname, code: this.#code },
        { key: this.#key, headers: this.#linkHeaders(), required: ["participant_token", "session"] },
      );
      time.sync(seat.server_time);
      tokens.set(`seat.${seat.session.id}`, seat.participant_token);
      this.#enter(seat.session.id);
    });
  }

  #linkHeaders() {
    const { letters, key } = this.#link;
    return key && letters === lettersOf(this.#code) ? { "Link-Key": key } : {};
  }

  // The message stays during automatic retries, so that screen readers do not repeat it.
  async #attempt(action, isAgain = false) {
    this.#retry.stop();
    this.#isBusy = true;
    if (!isAgain) this.#message = "";
    let isWaiting = false;
    this.#draw();
    try {
      await action();
      if (!this.#isOpen()) return;
      this.#message = "";
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (problem.status) await loadDeferredTexts().catch(() => null);
      this.#suggestions = problem.body.suggestions ?? [];
      if (!problem.isTransient) this.#key = newKey();
      if (problem.code === "code-unknown") this.#link.key = ""; // the key of an older code: the next request counts as typed
      const waitS = this.#retry.schedule(problem, () => this.#isOpen() && this.#attempt(action, true));
      const reason = problem.code === "not-found" ? t("problem.code-unknown") : problem.text;
      this.#message = waitS ? t("join.retrying", { n: waitS }) : reason;
      isWaiting = waitS > 0;
    }
    this.#isBusy = false;
    this.#draw();
    if (!isWaiting) this.#main.querySelector("input")?.focus();
  }

  #isOpen() {
    return this.#main.querySelector("form[data-door]") !== null;
  }

  #draw() {
    patch(this.#main, this.#found ? this.#nicknameForm() : this.#codeForm());
  }

  #form(send, ...inside) {
    const onsubmit = (event) => {
      event.preventDefault();
      if (!this.#isBusy) send(event.target.elements[0].value);
    };
    return h(
      "form",
      { class: "stack card", "data-door": true, onsubmit },
      inside,
      h("p", { id: "said", class: "bad", role: "alert" }, this.#message),
    );
  }

  #codeForm() {
    return [
      h("h1", {}, t("join.title")),
      this.#form(
        (code) => this.#lookUp(code),
        h("label", { for: "code" }, t("join.code")),
        h("input", {
          id: "code",
          class: "code-field",
          autocomplete: "off",
          autocapitalize: "characters",
          spellcheck: "false",
          required: true,
          key: "code",
          placeholder: "BCDF-GHJK",
          value: this.#code,
          "aria-describedby": "said",
        }),
        h("button", { class: "primary", disabled: this.#isBusy }, t("join.continue")),
      ),
    ];
  }

  #nicknameForm() {
    return [
      h("h1", { dir: "auto" }, this.#found.title),
      this.#found.status === "completed"
        ? h("p", {}, t("state.ended"))
        : this.#form(
            (name) => this.#join(name),
            h("label", { for: "nickname" }, t("join.nickname")),
            h("input", {
              id: "nickname",
              key: "nickname",
              autocomplete: "nickname",
              ...limitLength(boot.limits.nickname),
              required: true,
              "aria-describedby": "said kept",
              dir: "auto",
            }),
            h("button", { class: "primary", disabled: this.#isBusy }, t("join.submit")),
          ),
      this.#suggestions.length
        ? h(
            "p",
            { class: "row wrap" },
            t("join.suggestions"),
            this.#suggestions.map((name) =>
              h("button", { type: "button", key: name, onclick: () => this.#join(name), dir: "auto" }, name),
            ),
          )
        : null,
      h("p", { id: "kept", class: "muted" }, t("join.privacy")),
    ];
  }
}

function lettersOf(code) {
  return code.replace(/[^a-z]/gi, "");
}
