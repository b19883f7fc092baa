// The dialog to create or change an activity: the type's own editor or a form from its schemas, with a preview.

import { h } from "../core/dom.js";
import { boot, t } from "../core/i18n.js";
import { titleOf, typeKey, typeOf } from "../core/types.js";
import { viewOf } from "../elements/views.js";
import { drawSimple, select } from "./fields.js";
import { blank, drawForm } from "./form.js";
import { drawFault, drawPreview } from "./preview.js";
import { Validation } from "./validation.js";

const VISIBILITIES = ["after_reveal", "after_answer", "always", "host"];
const MODERATIONS = ["off", "after", "before"];

// Returns the state of the dialog: a new activity of a type, or a copy of an existing one.
export function editorState(type, activity = null, version) {
  const { key, known } = versionOf(activity ?? { type, type_version: version });
  const { config, secret = null } = activity ?? known?.fresh ?? {};
  const fields = activity ?? {
    results_visibility: "after_reveal",
    moderation: "off",
    anonymous: false,
    duration_seconds: null,
    ...known?.defaults,
  };
  const made = config ?? (known ? blank(known.config) : {});
  return {
    id: activity?.id ?? null,
    type,
    key,
    known,
    version, // of a new activity, undefined for the newest one
    aggregate: activity?.aggregate ?? null,
    fields: { ...fields },
    json: {},
    message: "",
    faults: {}, // of the type's views, by view
    config: activity ? made : inLanguage(known, made),
    secret: secret ?? (known?.secret && !activity ? blank(known.secret) : null),
    validation: new Validation(type, known),
  };
}

// Returns the key and the data of an activity's version of its type, or of the newest one.
function versionOf(activity) {
  const key = typeKey(activity);
  const isKnown = key in boot.types || key in (boot.versions ?? {});
  return { key, known: isKnown ? typeOf(key) : undefined };
}

// Sets the language of a new activity to that of the page, if the type has such a property.
function inLanguage(known, config) {
  const languages = known?.config.properties?.language?.enum ?? [];
  return languages.includes(boot.locale) && !config.language ? { ...config, language: boot.locale } : config;
}

export function drawEditor(edited, store, { close, draw }) {
  const onsubmit = (event) => {
    event.preventDefault();
    void save(edited, store, { close, draw });
  };
  const change = (name) => (value, at) => {
    edited[name] = value;
    if (edited.known) edited.validation.schedule(at, store.client, edited, draw);
    draw();
  };
  const field = (name) => (value) => {
    edited.fields[name] = value ?? null;
    draw();
  };
  return h(
    "form",
    { class: "editor", onsubmit, key: edited.id ?? `new ${edited.type}` },
    h(
      "div",
      { class: "stack" },
      h(
        "h2",
        {},
        `${edited.known?.icon ?? "{ }"} ${edited.known ? (edited.known.title ?? titleOf(edited.type)) : t("host.add_other")}`,
      ),
      edited.known ? content(edited, change, draw) : opaque(edited, draw),
      h(
        "details",
        { class: "stack" },
        h("summary", {}, t("host.more")),
        h("div", { class: "stack card" }, advancedForms(edited, change), settings(edited, field)),
      ),
      h("p", { class: "bad", role: "alert" }, edited.message),
      h(
        "div",
        { class: "row wrap" },
        h("button", { class: "primary" }, t("host.save")),
        h("button", { type: "button", onclick: close }, t("host.cancel")),
      ),
    ),
    edited.known ? drawPreview(edited, draw) : null,
  );
}

const formOf = ({ known, validation, config, ...edited }, name, change) => ({
  name,
  schema: known[name],
  value: name === "config" ? config : edited[name],
  config: { ...known.config_defaults, ...config },
  change: change(name),
  texts: known.texts,
  errorAt: validation.errorAt,
});

const forms = (edited, change, options) =>
  ["config", "secret"]
    .filter((name) => edited.known[name])
    .map((name) => drawForm(formOf(edited, name, change), options));

const advancedForms = (edited, change) => (edited.known ? forms(edited, change, { isAdvanced: true }) : null);

// Draws the type's own editor, which may contain the form. If it fails, the form replaces it.
function content(edited, change, draw) {
  const { type, key, known, config, secret } = edited;
  const tag = known.views.includes("editor") && !edited.faults.editor ? viewOf(key, "editor", draw) : "failed";
  if (tag === "failed") return [drawFault(edited, "editor", draw), forms(edited, change)];
  if (tag === null) return h("p", { class: "muted" }, t("state.loading"));
  return h(tag, {
    key: "own",
    unmanaged: true,
    class: "stack own-editor",
    ".type": known.framed ? type : key,
    ".config": config,
    ".secret": secret,
    ".form": () => forms(edited, change),
    onchange: ({ detail }) => {
      if (!detail?.config) return;
      edited.secret = detail.secret;
      change("config")(detail.config, "/config");
    },
  });
}

function settings({ fields }, field) {
  return [
    drawSimple({
      id: "e-duration",
      label: t("host.duration"),
      field: { type: "integer", minimum: 1, maximum: 86400 },
      value: fields.duration_seconds,
      put: field("duration_seconds"),
    }),
    select(
      {
        id: "e-results",
        label: t("host.results_visibility"),
        value: fields.results_visibility,
        put: field("results_visibility"),
      },
      VISIBILITIES.map((each) => [each, t(`host.${each}`)]),
    ),
    select(
      { id: "e-moderation", label: t("host.moderation"), value: fields.moderation, put: field("moderation") },
      MODERATIONS.map((each) => [each, t(`host.${each}`)]),
    ),
    h(
      "label",
      { class: "row check", for: "e-anonymous" },
      h("input", {
        id: "e-anonymous",
        type: "checkbox",
        checked: fields.anonymous,
        onchange: (event) => field("anonymous")(event.target.checked),
      }),
      t("host.anonymous"),
    ),
  ];
}

function opaque(edited, draw) {
  const area = (name, words) => [
    h("label", { for: `e-${name}` }, words),
    h("textarea", {
      id: `e-${name}`,
      dir: "ltr",
      rows: 5,
      spellcheck: "false",
      value: edited.json[name] ?? JSON.stringify(edited[name], null, 2),
      oninput: (event) => (edited.json[name] = event.target.value),
    }),
  ];
  return [
    h("label", { for: "e-type" }, t("host.type")),
    h("input", {
      id: "e-type",
      dir: "ltr",
      value: edited.type,
      required: true,
      pattern: "[a-z0-9][a-z0-9_.\\-]{0,63}",
      disabled: edited.id !== null,
      oninput: (event) => {
        edited.type = event.target.value;
        draw();
      },
    }),
    h("label", { for: "e-title" }, t("form.title")),
    h("input", {
      id: "e-title",
      value: edited.fields.title ?? "",
      maxlength: boot.limits.title,
      dir: "auto",
      oninput: (event) => (edited.fields.title = event.target.value || null),
    }),
    area("config", t("host.config")),
    area("secret", t("host.secret")),
    area("aggregate", t("host.answers")),
  ];
}

async function save(edited, store, { close, draw }) {
  try {
    for (const [name, text] of Object.entries(edited.json)) edited[name] = text.trim() === "" ? null : JSON.parse(text);
  } catch {
    edited.message = t("json.invalid");
    draw();
    return;
  }
  const { title = null, results_visibility, moderation, anonymous, duration_seconds } = edited.fields;
  const body = {
    title,
    config: edited.config,
    secret: edited.secret,
    aggregate: edited.aggregate,
    results_visibility,
    moderation,
    anonymous,
    duration_seconds,
  };
  const saved =
    edited.id === null
      ? await store.create({ ...edited.known?.defaults, ...body, type: edited.type, type_version: edited.version })
      : await changed(edited, store, body);
  if (saved) close();
  else {
    edited.message = edited.validation.applyProblem(store.problem) ? t("host.invalid_fields") : store.message;
    draw();
  }
}

async function changed(edited, store, body) {
  const saved = await store.change(edited, body);
  if (saved || store.problem?.code !== "answers-exist" || !confirm(t("host.force"))) return saved;
  return store.change(edited, body, "?force=true");
}
