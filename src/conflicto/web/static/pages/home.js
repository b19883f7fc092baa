// The hosts' home page: the sessions, and a form for a new one.

import { Client, Problem, tokens, withToken } from "../core/api.js";
import { h, patch } from "../core/dom.js";
import { boot, formatDate, t } from "../core/i18n.js";
import { enableAppearance } from "../elements/appearance_loader.js";
import { storage } from "../core/storage.js";
import { adoptToken, isTokenValid } from "../elements/link_token.js";
import { drawListFooter } from "../host/list_footer.js";

enableAppearance();

const AGAIN_MS = 5_000;
const main = document.getElementById("main");
let sessions = null;
let next = null; // cursor of the next page
let all = 0;
let message = "";
let isRefused = false; // the stored token was refused; it stays until another one works

const PROBE_PATH = "/sessions?limit=1";
const LINK_MS = 86_400_000; // lifetime of the operator's link to a session
takeEarlierToken();
await adoptToken("admin", "admin", PROBE_PATH);
const client = new Client("admin");
main.replaceChildren();
void load();

// Earlier versions stored the operator's token for all tabs.
function takeEarlierToken() {
  const token = storage.get("conflicto.admin");
  if (token && !tokens.get("admin")) tokens.set("admin", token);
  storage.remove("conflicto.admin");
}

async function load() {
  if (!tokens.get("admin")) return draw();
  await attempt(async () => (sessions = await page()));
  if (!sessions && tokens.get("admin")) setTimeout(load, AGAIN_MS);
}

async function page(from = "") {
  const { items, total, next_cursor: cursor } = await client.get(`/sessions?limit=100${from}`, { required: ["items"] });
  next = cursor;
  all = total;
  return items;
}

const showMore = () => attempt(async () => sessions.push(...(await page(`&cursor=${next}`))));

async function attempt(what) {
  message = "";
  try {
    await what();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (problem.status === 401 && !problem.isTransient) isRefused = true;
    message = problem.text;
  }
  draw();
}

function draw() {
  patch(main, [
    h("p", { key: "message", class: "bad", role: "alert" }, message),
    tokens.arePersistent ? null : h("p", { class: "banner plain", key: "no-storage" }, t("state.no_storage_link")),
    ...(tokens.get("admin") && !isRefused ? [newSessionForm(), list()] : [signInForm()]),
  ]);
}

function signInForm() {
  const onsubmit = (event) => {
    event.preventDefault();
    void signIn(event.target.elements.token.value.trim());
  };
  return h(
    "form",
    { key: "sign-in", class: "stack card", onsubmit },
    h("h1", {}, t("host.sign_in")),
    h("p", { class: "muted" }, t("host.sign_in_hint")),
    h("label", { for: "token" }, t("host.token")),
    h("input", { type: "text", autocomplete: "username", value: t("host.operator"), hidden: true, readonly: true }),
    h("input", { id: "token", type: "password", autocomplete: "current-password", required: true }),
    h("button", { class: "primary" }, t("host.sign_in_submit")),
  );
}

async function signIn(token) {
  const isValid = await isTokenValid(token, PROBE_PATH);
  if (!isValid) {
    message = new Problem(isValid === undefined ? 0 : 401, {
      code: isValid === undefined ? "offline" : "token-invalid",
    }).text;
    return draw();
  }
  tokens.set("admin", token);
  isRefused = false;
  await load();
}

function newSessionForm() {
  const onsubmit = (event) => {
    event.preventDefault();
    void attempt(() =>
      openSession(
        client.post("/sessions", {
          title: event.target.elements.title.value,
          subtitle: event.target.elements.subtitle.value || null,
        }),
      ),
    );
  };
  return h(
    "form",
    { key: "fresh", class: "stack card", onsubmit },
    h("h1", {}, t("host.new")),
    h("label", { for: "title" }, t("host.new_title")),
    h("input", { id: "title", required: true, maxlength: boot.limits.title, dir: "auto" }),
    h("label", { for: "subtitle" }, t("host.new_subtitle")),
    h(
      "div",
      { class: "row wrap" },
      h("input", { id: "subtitle", class: "grow basis", maxlength: boot.limits.title, dir: "auto" }),
      h("button", { class: "primary" }, t("host.create")),
    ),
  );
}

async function openSession(made) {
  const { id, host_token: host, screen_token: screen } = await made;
  tokens.set(`host.${id}`, host);
  tokens.set(`screen.${id}`, screen);
  location.assign(withToken(`~/host/s/${id}`, `host.${id}`, "token"));
}

// Makes a link of the operator's own for a session that opens in another tab, which never gets the operator's token.
async function prepareLink(event, { id }) {
  const name = `host.${id}`;
  if (tokens.get(name)) return;
  if (!tokens.arePersistent) event.preventDefault();
  const expires_at = new Date(Date.now() + LINK_MS).toISOString();
  const { token } = await client.post(`/sessions/${id}/links`, {
    scope: "owner",
    name: t("host.operator"),
    expires_at,
  });
  tokens.set(name, token);
  if (!tokens.arePersistent) location.assign(withToken(`~/host/s/${id}`, name, "token"));
}

function list() {
  if (!sessions) return h("p", { key: "list", class: "muted" }, t("state.loading"));
  if (!sessions.length) return h("p", { key: "list", class: "muted" }, t("host.none"));
  return h(
    "section",
    { key: "list", class: "stack" },
    h("h2", {}, t("host.sessions")),
    h(
      "ul",
      { class: "rows" },
      sessions.map((session) =>
        h(
          "li",
          { key: session.id, class: "row wrap" },
          h(
            "a",
            {
              class: "grow basis strong",
              dir: "auto",
              target: "_blank",
              rel: "noopener",
              href: `~/host/s/${session.id}${tokens.get(`host.${session.id}`) ? "" : "#operator"}`,
              onclick: (event) => attempt(() => prepareLink(event, session)),
            },
            session.title,
          ),
          h("span", { class: `chip ${session.status}` }, t(`host.${session.status}`)),
          h("span", { class: "muted small" }, formatDate(session.created_at)),
          h(
            "button",
            {
              type: "button",
              "aria-label": `${t("host.duplicate")}: ${session.title}`,
              onclick: () => attempt(() => openSession(client.post(`/sessions/${session.id}/duplicate`))),
            },
            t("host.duplicate"),
          ),
          h(
            "button",
            {
              type: "button",
              class: "danger",
              "aria-label": `${t("host.delete")}: ${session.title}`,
              onclick: () => remove(session),
            },
            t("host.delete"),
          ),
        ),
      ),
    ),
    next ? drawListFooter(sessions.length, all, showMore) : null,
  );
}

function remove({ id, title }) {
  if (!confirm(t("host.delete_sure", { title }))) return;
  void attempt(async () => {
    await client.delete(`/sessions/${id}`);
    sessions = sessions.filter((each) => each.id !== id);
    all -= 1;
  });
}
