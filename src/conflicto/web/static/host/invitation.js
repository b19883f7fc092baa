// The dialog with the join code, and with links for phones, screens and co-hosts.

import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { joinLink, origin } from "../core/links.js";
import { drawCode } from "../elements/qr.js";
import { showLinks } from "./links.js";

export function drawInvitation(store, show, closing) {
  const { session } = store;
  return h(
    "div",
    { class: "stack invitation", key: "invite" },
    h("h2", {}, t("host.invite")),
    drawCode(joinLink(session), t("screen.qr")),
    h("p", { class: "big-code", dir: "ltr" }, session.join_code),
    h("p", {}, origin().replace(/^https?:\/\//, "")),
    linkRow(store, "host.phone_link", () => joinLink(session)),
    linkRow(store, "host.screen_link", async () => toPublic(await store.screenLink())),
    linkRow(store, "host.cohost", async () => toPublic(await store.cohostLink())),
    h("button", { type: "button", key: "remote", onclick: () => remote(store, show, closing) }, t("host.remote")),
    h(
      "button",
      { type: "button", key: "links", onclick: () => showLinks(store, show, closing, origin()) },
      t("links.title"),
    ),
    closing(),
  );
}

// Shows the link for copying by hand if the clipboard is not available, as over plain HTTP.
function linkRow(store, key, link) {
  const copy = async (event) => {
    const target = event.currentTarget;
    const text = await store.run(link);
    if (!text) return;
    const isCopied = await navigator.clipboard?.writeText(text).then(
      () => true,
      () => false,
    );
    if (isCopied) target.textContent = t("host.copied");
    else prompt(t(key), text);
  };
  return h(
    "div",
    { class: "row", key },
    h("span", { class: "grow" }, t(key)),
    h("button", { type: "button", onclick: copy, "aria-label": `${t("host.copy")}: ${t(key)}` }, t("host.copy")),
  );
}

// Shows a host's link as a QR code, only on request: every phone that scans it becomes a host.
async function remote(store, show, closing) {
  const link = await store.run(store.cohostLink);
  if (!link) return;
  show(() =>
    h(
      "div",
      { class: "stack invitation", key: "remote" },
      h("h2", {}, t("host.remote")),
      h("p", {}, t("host.remote_hint")),
      drawCode(toPublic(link), t("host.remote")),
      closing(),
    ),
  );
}

// Returns the absolute URL of a page, as phones reach it.
const toPublic = (path) => new URL(path, origin()).href;
