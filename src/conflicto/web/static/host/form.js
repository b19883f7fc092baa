// A form from a JSON Schema: the plain kinds of fields, lists of them, and options with ids that nobody has to think of.

import { h } from "../core/dom.js";
import { t } from "../core/words.js";

// changed(value) gets the whole value anew; nothing is changed in place.
export function drawForm(schema, value, changed, { name = "", whole = value } = {}) {
  return Object.entries(schema.properties ?? {}).map(([key, field]) => {
    const put = (to) => {
      const { [key]: _, ...others } = value ?? {};
      changed(to === undefined ? others : { ...value, [key]: to });
    };
    return h("div", { class: "stack-tight", key: `${name}/${key}` },
      drawField({ id: `f-${name}-${key}`, label: labelOf(key, field), field, value: value?.[key], put, whole, isNeeded: (schema.required ?? []).includes(key) }));
  });
}

function labelOf(key, field) {
  const known = t(`form.${key}`);
  return known.startsWith("form.") ? (field.title ?? key) : known;
}

function drawField(asked) {
  const { field } = asked;
  const widget = field["x-ui"]?.widget;
  if (widget === "one-of-options") return oneOfOptions(asked);
  if (field.enum) return select(asked, field.enum.map((each) => [each, String(each)]));
  if (field.type === "boolean") return checkbox(asked);
  if (field.type === "integer" || field.type === "number") return numeric(asked);
  if (field.type === "array") return field.items?.type === "object" ? options(asked) : list(asked);
  return text(asked, widget === "textarea");
}

const label = ({ id, label: words }) => h("label", { for: id }, words);

function text({ id, value, put, field, isNeeded, ...more }, isLong) {
  return [label({ id, ...more }), h(isLong ? "textarea" : "input", {
    id, rows: isLong ? 2 : null, value: value ?? "", maxlength: field.maxLength, required: isNeeded, dir: "auto", autocomplete: "off",
    oninput: (event) => put(event.target.value === "" && !isNeeded ? undefined : event.target.value),
  })];
}

function numeric({ id, value, put, field, isNeeded, ...more }) {
  return [label({ id, ...more }), h("input", {
    id, type: "number", value: value ?? "", min: field.minimum, max: field.maximum, step: field.type === "integer" ? 1 : "any", required: isNeeded,
    oninput: (event) => put(event.target.value === "" ? undefined : event.target.valueAsNumber),
  })];
}

function checkbox({ id, value, put, label: words }) {
  return h("label", { class: "row check", for: id }, h("input", { id, type: "checkbox", checked: value ?? false, onchange: (event) => put(event.target.checked) }), words);
}

export function select({ id, value, put, isNeeded = true, ...more }, pairs) {
  return [label({ id, ...more }), h("select", { id, onchange: (event) => put(event.target.value === "" ? undefined : event.target.value) },
    (isNeeded ? pairs : [["", t("host.correct_none")], ...pairs]).map(([key, words]) => h("option", { key, value: key, selected: key === (value ?? "") }, words)))];
}

function oneOfOptions(asked) {
  return select(asked, (asked.whole?.options ?? []).map((option, index) => [option.id, `${String.fromCharCode(65 + index)} ${option.text}`]));
}

function list({ id, value, put, label: words }) {
  return [h("label", { for: id }, words), h("input", {
    id, value: (value ?? []).join("  "), dir: "auto", autocomplete: "off", onchange: (event) => put(event.target.value.split(/\s+/).filter(Boolean)),
  })];
}

function options({ id, value, put, label: words }) {
  const rows = value ?? [];
  const change = (index, option) => put(rows.map((each, at) => (at === index ? option : each)));
  return h("fieldset", { class: "stack" }, h("legend", { class: "strong" }, words),
    rows.map((option, index) => h("div", { class: "row", key: option.id },
      h("span", { class: "letter", "aria-hidden": "true" }, String.fromCharCode(65 + (index % 26))),
      h("input", {
        id: `${id}-${option.id}`, class: "grow", value: option.text, required: true, dir: "auto", autocomplete: "off", "aria-label": `${words} ${index + 1}`,
        oninput: (event) => change(index, { ...option, text: event.target.value }),
      }),
      h("button", { type: "button", class: "square", disabled: rows.length <= 2, "aria-label": `${t("host.remove")} ${index + 1}`, onclick: () => put(rows.filter((each) => each !== option)) }, "×"))),
    h("button", { type: "button", onclick: () => put([...rows, { id: freeId(rows), text: "" }]) }, `+ ${t("host.add_option")}`));
}

function freeId(rows) {
  for (let number = 0; ; number += 1) {
    const id = number < 26 ? String.fromCharCode(97 + number) : `o${number}`;
    if (!rows.some((each) => each.id === id)) return id;
  }
}
