// The dialog in which an activity is made or changed.

import { h } from "../core/dom.js";
import { boot, t } from "../core/words.js";
import { drawForm, select } from "./form.js";

const VISIBILITIES = ["after_reveal", "after_answer", "always", "host"];
const MODERATIONS = ["off", "after", "before"];

export const titleOf = (type) => boot.types[type]?.title[boot.locale] ?? boot.types[type]?.title.en ?? type;

// What is being written: a new activity of a type, or a copy of one that is there.
export function begun(type, activity = null) {
  const known = boot.types[type];
  const { config, secret = null } = activity ?? known?.fresh ?? { config: {} };
  const fields = activity ?? { results_visibility: "after_reveal", moderation: "off", anonymous: false, duration_seconds: null, ...known?.defaults };
  return { id: activity?.id ?? null, type, known, config, secret, aggregate: activity?.aggregate ?? known?.aggregate ?? null, fields: { ...fields }, json: {}, said: "" };
}

export function drawEditor(edited, board, { close, draw }) {
  const put = (name) => (value) => (edited[name] = value, draw());
  const field = (name) => (value) => (edited.fields[name] = value ?? null, draw());
  const onsubmit = (event) => (event.preventDefault(), save(edited, board, { close, draw }));
  return h("form", { class: "stack", onsubmit, key: edited.id ?? `new ${edited.type}` },
    h("h2", {}, `${edited.known?.icon ?? "{ }"} ${edited.known ? titleOf(edited.type) : t("host.add_other")}`),
    edited.known ? [
      drawForm(edited.known.config, edited.config, put("config"), { name: "config" }),
      edited.known.secret ? drawForm(edited.known.secret, edited.secret, put("secret"), { name: "secret", whole: edited.config }) : null,
    ] : opaque(edited, draw),
    h("details", { class: "stack" }, h("summary", {}, t("host.more")), h("div", { class: "stack card" }, settings(edited, field))),
    h("p", { class: "bad", role: "alert" }, edited.said),
    h("div", { class: "row wrap" }, h("button", { class: "primary" }, t("host.save")), h("button", { type: "button", onclick: close }, t("host.cancel"))));
}

function settings({ fields, known }, field) {
  return [
    h("label", { for: "e-duration" }, t("host.duration")),
    h("input", { id: "e-duration", type: "number", min: 1, max: 86400, value: fields.duration_seconds ?? "", oninput: (event) => field("duration_seconds")(event.target.value === "" ? null : event.target.valueAsNumber) }),
    select({ id: "e-results", label: t("host.results_visibility"), value: fields.results_visibility, put: field("results_visibility") }, VISIBILITIES.map((each) => [each, t(`host.${each}`)])),
    select({ id: "e-moderation", label: t("host.moderation"), value: fields.moderation, put: field("moderation") }, MODERATIONS.map((each) => [each, t(`host.${each}`)])),
    h("label", { class: "row check", for: "e-anonymous" }, h("input", { id: "e-anonymous", type: "checkbox", checked: fields.anonymous, onchange: (event) => field("anonymous")(event.target.checked) }), t("host.anonymous")),
    known ? null : h("p", {}),
  ];
}

function opaque(edited, draw) {
  const area = (name, words) => [h("label", { for: `e-${name}` }, words), h("textarea", {
    id: `e-${name}`, dir: "ltr", rows: 5, spellcheck: "false", value: edited.json[name] ?? JSON.stringify(edited[name], null, 2), oninput: (event) => (edited.json[name] = event.target.value),
  })];
  return [
    h("label", { for: "e-type" }, t("host.type")),
    h("input", { id: "e-type", dir: "ltr", value: edited.type, required: true, pattern: "[a-z0-9][a-z0-9_.\\-]{0,63}", disabled: edited.id !== null, oninput: (event) => (edited.type = event.target.value, draw()) }),
    h("label", { for: "e-title" }, t("form.title")),
    h("input", { id: "e-title", value: edited.fields.title ?? "", maxlength: 200, dir: "auto", oninput: (event) => (edited.fields.title = event.target.value || null) }),
    area("config", t("host.config")), area("secret", t("host.secret")), area("aggregate", t("host.answers")),
  ];
}

async function save(edited, board, { close, draw }) {
  try {
    for (const [name, text] of Object.entries(edited.json)) edited[name] = text.trim() === "" ? null : JSON.parse(text);
  } catch {
    edited.said = t("json.wrong");
    return draw();
  }
  const { title = null, results_visibility, moderation, anonymous, duration_seconds } = edited.fields;
  const said = { title, config: edited.config, secret: edited.secret, aggregate: edited.aggregate, results_visibility, moderation, anonymous, duration_seconds };
  const kept = edited.id === null
    ? await board.make({ ...edited.known?.defaults, ...said, type: edited.type })
    : await changed(edited, board, said);
  edited.said = board.said;
  if (kept) close();
  else draw();
}

async function changed(edited, board, said) {
  const kept = await board.change(edited, said);
  if (kept || board.problem?.code !== "answers-exist" || !confirm(t("host.force"))) return kept;
  return board.change(edited, said, "?force=true");
}
