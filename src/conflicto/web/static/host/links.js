// The dialog with the links of a session: each has a name and a role, and can be revoked.

import { h } from "../core/dom.js";
import { formatDate, t } from "../core/i18n.js";
import { select } from "./fields.js";

const SCOPES = ["host", "screen"]; // roles of new links
const PAGES = { owner: "/host/s/", host: "/host/s/", screen: "/screen/" };

const isOver = (link) => link.revoked_at !== null || Date.parse(link.expires_at) < Date.now();

// Shows the links now and after each change. `show` draws the dialog, `origin` is the server's public origin.
export async function showLinks(store, show, closing, origin) {
  const at = `${store.path}/links`;
  const state = { links: [], scope: "host", name: "", made: null };
  const load = async () => {
    const page = await store.run(() => store.client.get(`${at}?limit=1000`));
    if (page) state.links = page.items;
    show(draw);
  };
  const after = async (step) => {
    const isDone = await store.run(async () => {
      await step();
      return true;
    });
    if (isDone) await load();
    else show(draw);
  };
  const make = (event) => {
    event.preventDefault();
    void after(async () => {
      state.made = await store.client.post(at, { scope: state.scope, name: state.name.trim() });
      state.name = "";
    });
  };
  const rename = (link) => {
    const name = prompt(t("links.rename_to"), link.name);
    if (name !== null && name.trim() !== link.name)
      void after(() => store.client.patch(`${at}/${link.id}`, { name: name.trim() }));
  };
  const revoke = (link) =>
    confirm(t(link.is_own ? "links.revoke_own_sure" : "links.revoke_sure", { name: nameOf(link) })) &&
    after(() => store.client.delete(`${at}/${link.id}`));

  const draw = () =>
    h(
      "div",
      { class: "stack invitation", key: "links" },
      h("h2", {}, t("links.title")),
      h("p", { class: "muted" }, t("links.hint")),
      h("p", { class: "bad", role: "alert", key: "message" }, store.message),
      h(
        "ul",
        { class: "rows" },
        state.links.filter((link) => !isOver(link)).map((link) => row(link, { rename, revoke })),
      ),
      form(state, make, () => show(draw)),
      state.made ? madeLink(state.made, origin, store.id) : null,
      closing(),
    );

  await load();
}

const nameOf = ({ name, scope, id }) => name || `${t(`links.${scope}`)} ${id.slice(0, 4)}`;

function row(link, { rename, revoke }) {
  return h(
    "li",
    { key: link.id, class: "row wrap" },
    h("span", { class: "grow basis", dir: "auto" }, nameOf(link)),
    h("span", { class: "chip" }, t(`links.${link.scope}`)),
    link.is_own ? h("span", { class: "chip" }, t("links.this_browser")) : null,
    h("span", { class: "muted small" }, t("links.until", { day: formatDate(link.expires_at) })),
    h(
      "button",
      { type: "button", "aria-label": `${t("links.rename")}: ${nameOf(link)}`, onclick: () => rename(link) },
      t("links.rename"),
    ),
    h(
      "button",
      {
        type: "button",
        class: "danger",
        "aria-label": `${t("links.revoke")}: ${nameOf(link)}`,
        onclick: () => revoke(link),
      },
      t("links.revoke"),
    ),
  );
}

function form(state, onsubmit, redraw) {
  return h(
    "form",
    { class: "stack", onsubmit },
    select(
      {
        id: "link-scope",
        label: t("links.scope"),
        value: state.scope,
        put: (value) => {
          state.scope = value;
          redraw();
        },
      },
      SCOPES.map((each) => [each, t(`links.${each}`)]),
    ),
    h("label", { for: "link-name" }, t("links.name")),
    h("input", {
      id: "link-name",
      maxlength: 100,
      dir: "auto",
      autocomplete: "off",
      value: state.name,
      oninput: (event) => (state.name = event.target.value),
    }),
    h("button", { class: "primary" }, t("links.create")),
  );
}

function madeLink(made, origin, session) {
  return h(
    "div",
    { class: "stack-tight", key: "made" },
    h("label", { for: "link-made" }, t("links.created", { name: nameOf(made) })),
    h("input", {
      id: "link-made",
      readonly: true,
      dir: "ltr",
      value: `${origin}${PAGES[made.scope]}${session}#token=${made.token}`,
      onfocus: (event) => event.target.select(),
    }),
  );
}
