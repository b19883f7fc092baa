// Dialogs with a seat's responses, and with the link that transfers it. They load on first use.

import { questionOf } from "../core/activity.js";
import { Problem } from "../core/api.js";
import { h, patch } from "../core/dom.js";
import { boot, formatTime, t } from "../core/i18n.js";
import { storage } from "../core/storage.js";
import { drawCode } from "../elements/qr.js";
import { problemText, responseText } from "./notices.js";

export class SeatDialog {
  #page;
  #dialog;

  constructor(page) {
    this.#page = page;
    this.#dialog = document.querySelector("dialog");
    if (this.#dialog) return;
    this.#dialog = document.createElement("dialog");
    document.body.append(this.#dialog);
  }

  showAnswers = () =>
    this.#show("menu.answers", async () => {
      const { responses, points } = await this.#page.client.get("/participants/me", { required: ["responses"] });
      return drawAnswers(responses, points, this.#page);
    });

  showLink = () =>
    this.#show("menu.move", async () => {
      const { seat_token: secret, expires_at: until } = await this.#page.client.post(
        "/participants/me/seat-link",
        {},
        { required: ["seat_token"] },
      );
      storage.set(`conflicto.link.${this.#page.session}`, until);
      return drawLink(`${boot.public_url || location.origin}/p/${this.#page.session}#move=${secret}`, until);
    });

  // Shows a problem in place of the content.
  async #show(title, make) {
    const draw = (inside) =>
      patch(
        this.#dialog,
        h(
          "div",
          { class: "stack", key: title },
          h("h2", {}, t(title)),
          inside,
          h("form", { method: "dialog", key: "close" }, h("button", { class: "wide" }, t("menu.close"))),
        ),
      );
    draw(h("p", { class: "muted" }, t("state.loading")));
    this.#dialog.showModal();
    try {
      draw(await make());
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      draw(h("p", { class: "bad", role: "alert" }, problem.text));
    }
  }
}

function drawLink(link, until) {
  return [
    h("p", {}, t("move.hint")),
    drawCode(link, t("move.code")),
    h("label", { for: "move-link" }, t("move.link")),
    h("input", { id: "move-link", readonly: true, value: link, dir: "ltr", onfocus: (event) => event.target.select() }),
    navigator.clipboard
      ? h("button", { type: "button", onclick: (event) => copyText(event.currentTarget, link) }, t("move.copy"))
      : null,
    h("p", { class: "muted" }, t("move.expiry", { time: formatTime(until) })),
  ];
}

async function copyText(button, text) {
  if (
    await navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    )
  )
    button.textContent = t("move.copied");
}

function drawAnswers(responses, points, { fold, refused }) {
  const activities = fold.entities.activity;
  return [
    typeof points === "number" ? h("p", { class: "strong" }, t("menu.score", { n: points })) : null,
    refused.length
      ? h(
          "ul",
          { class: "rows", key: "refused" },
          refused.map((each) =>
            h(
              "li",
              { key: each.key, class: "stack-tight" },
              h("span", { class: "strong", dir: "auto" }, each.question),
              h("span", { dir: "auto" }, responseText(activities.get(each.of.split(" ")[0])?.data, each.data)),
              h("span", { class: "bad" }, problemText(each)),
            ),
          ),
        )
      : null,
    responses.length
      ? h(
          "ol",
          { class: "rows" },
          responses.map((each) => {
            const activity = activities.get(each.activity_id)?.data;
            return h(
              "li",
              { key: each.id, class: "stack-tight" },
              h("span", { class: "strong", dir: "auto" }, activity ? questionOf(activity) : ""),
              h("span", { dir: "auto" }, responseText(activity, each.response_data)),
            );
          }),
        )
      : h("p", { class: "muted" }, t("menu.no_answers")),
  ];
}
