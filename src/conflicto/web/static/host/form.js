// A form from a JSON Schema. `form` is { name, schema, value, config, change, texts, errorAt }. `change(value, at)` gets a
// new object and the pointer of the changed field. `config` provides choices, `errorAt(pointer)` messages.

import { h } from "../core/dom.js";
import { boot, t } from "../core/i18n.js";
import { valuesAt } from "../core/types.js";
import { drawSimple } from "./fields.js";

const letterOf = (index) => String.fromCodePoint(65 + (index % 26));

// Draws the usual fields, or the advanced ones.
export function drawForm(form, { isAdvanced = false } = {}) {
  const { name, schema, value, change } = form;
  return shownIn(schema)
    .filter(([, field]) => isAdvancedField(field) === isAdvanced)
    .map(([key, field]) => {
      const pointer = `/${name}/${key}`;
      const put = (to, at = pointer) => change(changed(value, key, to), at);
      return h(
        "div",
        { class: "stack-tight", key: `${name}/${key}` },
        drawField(
          fieldState(form, { path: `${name}.${key}`, pointer, key, field, put, value: value?.[key], within: schema }),
        ),
      );
    });
}

// Returns the visible fields: without ids, and with image URLs only if the server allows images.
function shownIn({ properties = {} }) {
  const isVisible = (widget) => widget !== "hidden" && (widget !== "image" || boot.image_origins?.length > 0);
  return Object.entries(properties).filter(([, field]) => isVisible(field["x-ui"]?.widget));
}

const isAdvancedField = (field) => Boolean(field["x-ui"]?.advanced);

function changed(value, key, to) {
  const { [key]: _, ...others } = value ?? {};
  return to === undefined ? others : { ...value, [key]: to };
}

function fieldState(form, { path, pointer, key, field, put, value, within, ...more }) {
  return {
    id: `f${pointer.replaceAll("/", "-")}`,
    path,
    pointer,
    field: withLimits(field, form.config),
    put,
    value,
    form,
    isNeeded: (within.required ?? []).includes(key),
    label: form.texts[path] ?? field.title ?? key,
    error: form.errorAt(pointer),
    choices: choicesFor(form, field),
    ...more,
  };
}

const LIMITS = {
  "x-min": "minimum",
  "x-max": "maximum",
  "x-min-items": "minItems",
  "x-max-items": "maxItems",
  "x-max-length": "maxLength",
};

// Returns a field with the numeric limits that other parts of the config set.
function withLimits(field, config) {
  const limits = Object.entries(LIMITS)
    .filter(([keyword]) => keyword in field)
    .map(([keyword, plain]) => [plain, valuesAt(config, field[keyword])[0]?.value])
    .filter(([, limit]) => typeof limit === "number");
  return limits.length ? { ...field, ...Object.fromEntries(limits) } : field;
}

function choicesFor({ config }, field) {
  if (!field["x-in"]) return null;
  return valuesAt(config, field["x-in"]).map(({ value, row }, index) => [
    value,
    `${letterOf(index)} ${wordsOf(row, value)}`,
  ]);
}

// Labels a row with its first text that is not its id.
const wordsOf = (row, value) =>
  (row && typeof row === "object" && Object.values(row).find((each) => typeof each === "string" && each !== value)) ||
  value;

function drawField(one) {
  return [
    partsOf(one.field)(one),
    one.error ? h("p", { id: `${one.id}-fault`, class: "bad small fault" }, one.error) : null,
  ];
}

function partsOf({ type, items, propertyNames, additionalProperties }) {
  if (type === "object" && propertyNames?.["x-in"] && additionalProperties) return drawNamed;
  return type === "array" && items?.type === "object" ? drawRows : drawSimple;
}

// Draws an object whose names come from the config: a field for each name.
function drawNamed({ field, form, path, pointer, put, value, label }) {
  const fields = choicesFor(form, field.propertyNames).map(([name, words]) => {
    const at = `${pointer}/${String(name).replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const state = fieldState(form, {
      path: `${path}.${name}`,
      pointer: at,
      key: String(name),
      field: field.additionalProperties,
      value: value?.[name],
      within: field,
      put: (to) => put(changed(value, name, to), at),
    });
    return h("div", { class: "stack-tight", key: name }, drawField({ ...state, label: words }));
  });
  return h("fieldset", { class: "stack" }, h("legend", { class: "strong" }, label), fields);
}

function drawCell({ field, form, path, pointer, put }, rows, row, index, [key, column], more = {}) {
  return drawField(
    fieldState(form, {
      path: `${path}.${key}`,
      pointer: `${pointer}/${index}/${key}`,
      key,
      field: column,
      value: row[key],
      within: field.items,
      put: (to) =>
        put(
          rows.map((each, at) => (at === index ? changed(row, key, to) : each)),
          `${pointer}/${index}/${key}`,
        ),
      ...more,
    }),
  );
}

function drawRows(one) {
  const { field, put, label } = one;
  const rows = one.value ?? [];
  const columns = shownIn(field.items);
  const id = idOf(field.items);
  const cell = (...at) => drawCell(one, rows, ...at);
  return h(
    "fieldset",
    { class: "stack" },
    h("legend", { class: "strong" }, label),
    rows.map((row, index) =>
      h(
        "div",
        { class: "stack-tight", key: row[id] ?? index },
        h(
          "div",
          { class: "row" },
          h("span", { class: "letter", "aria-hidden": "true" }, letterOf(index)),
          columns.slice(0, 1).map((first) => cell(row, index, first, { isBare: true, label: `${label} ${index + 1}` })),
          h(
            "button",
            {
              type: "button",
              class: "square",
              disabled: rows.length <= (field.minItems ?? 0),
              "aria-label": `${t("host.remove")} ${index + 1}`,
              onclick: () => put(rows.filter((_, at) => at !== index)),
            },
            "×",
          ),
        ),
        columns
          .slice(1)
          .map((column) => h("div", { class: "stack-tight below", key: column[0] }, cell(row, index, column))),
      ),
    ),
    h(
      "button",
      {
        type: "button",
        disabled: rows.length >= (field.maxItems ?? Infinity),
        onclick: () => put([...rows, blank(field.items, rows, id)]),
      },
      `+ ${t("host.add_option")}`,
    ),
  );
}

// Returns the smallest value that the schema allows.
export function blank(schema, others = [], id = null) {
  if (schema.type === "array")
    return Array.from({ length: schema.minItems ?? 0 }).reduce(
      (made) => [...made, blank(schema.items ?? {}, made, idOf(schema.items))],
      [],
    );
  if (schema.type !== "object") return schema.type === "string" ? "" : undefined;
  const needed = Object.entries(schema.properties ?? {}).filter(
    ([key, field]) => (schema.required ?? []).includes(key) && field.default === undefined,
  );
  const made = Object.fromEntries(
    needed.map(([key, field]) => [key, blank(field)]).filter(([, value]) => value !== undefined),
  );
  return id ? { ...made, [id]: freeId(others, id) } : made;
}

const idOf = (items) =>
  Object.entries(items?.properties ?? {}).find(([, column]) => column["x-ui"]?.widget === "hidden")?.[0] ?? null;

function freeId(rows, id) {
  for (let number = 0; ; number += 1) {
    const name = number < 26 ? String.fromCodePoint(97 + number) : `o${number}`;
    if (!rows.some((each) => each[id] === name)) return name;
  }
}
