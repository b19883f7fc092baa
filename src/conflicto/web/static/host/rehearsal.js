// The rehearsal of a session: adds scripted participants, and removes them with their responses.

import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { typeKey } from "../core/types.js";

const DEFAULT_PARTICIPANTS = 30;
const MAX_PARTICIPANTS = 200;

let wanted = DEFAULT_PARTICIPANTS;

// Draws the banner of a session with scripted participants.
export function drawRehearsed(store) {
  const here = store.people.filter((each) => each.scripted).length;
  if (!here) return null;
  const isUnknown = store.shown?.status === "active" && !typeKey(store.shown);
  return h(
    "div",
    { class: "banner row wrap", key: "rehearsed", role: "status" },
    h(
      "span",
      { class: "grow basis" },
      t("host.rehearsal_here", { n: here }),
      isUnknown ? ` ${t("host.rehearsal_unknown")}` : null,
    ),
    h(
      "button",
      { type: "button", onclick: () => store.run(() => store.client.delete(`${store.path}/rehearsal`)) },
      t("host.rehearsal_remove"),
    ),
  );
}

// Draws the form that starts a rehearsal.
export function drawRehearsal(store) {
  if (store.session.status === "completed" || store.people.some((each) => each.scripted)) return null;
  const onsubmit = (event) => {
    event.preventDefault();
    store.run(() =>
      store.client.post(`${store.path}/rehearsal`, { participants: wanted, language: document.documentElement.lang }),
    );
  };
  return h(
    "details",
    { class: "card", key: "rehearsal" },
    h("summary", { class: "strong" }, t("host.rehearsal")),
    h(
      "form",
      { class: "stack inner", onsubmit },
      h("p", { class: "muted" }, t("host.rehearsal_hint")),
      h("label", { for: "rehearsal-people" }, t("host.rehearsal_people")),
      h(
        "div",
        { class: "row wrap" },
        h("input", {
          id: "rehearsal-people",
          class: "grow basis",
          type: "number",
          min: 1,
          max: MAX_PARTICIPANTS,
          required: true,
          value: wanted,
          oninput: (event) => (wanted = event.target.valueAsNumber),
        }),
        h("button", { class: "primary" }, t("host.rehearse")),
      ),
    ),
  );
}
