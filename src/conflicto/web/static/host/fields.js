// Fields of a form. `one` describes a field: { id, label, field, value, put, isNeeded, error, isBare, choices }.

import { h } from "../core/dom.js";
import { boot, t } from "../core/i18n.js";
import { readNumber } from "../sdk/numbers.js";

const COMMAS = /[,،;\n]+/;

export function drawSimple(one) {
  const { field, choices } = one;
  if (choices) return select(one, choices);
  if (field.enum)
    return select(
      one,
      field.enum.map((each) => [each, boot.languages?.[each] ?? String(each)]),
    );
  if (field.type === "boolean") return checkbox(one);
  if (field.type === "integer" || field.type === "number") return numeric(one);
  if (field.type === "array") return list(one);
  return text(one);
}

const label = ({ id, label: words, isBare }) => (isBare ? null : h("label", { for: id }, words));

// Attributes of every input.
const shared = ({ id, error, isBare, label: words }) => ({
  id,
  "aria-invalid": error ? "true" : null,
  "aria-describedby": error ? `${id}-fault` : null,
  "aria-label": isBare ? words : null,
});

function text(one) {
  const { value, put, field, isNeeded } = one;
  const isLong = field["x-ui"]?.widget === "textarea";
  return [
    label(one),
    h(isLong ? "textarea" : "input", {
      ...shared(one),
      class: "grow",
      rows: isLong ? 2 : null,
      value: value ?? "",
      maxlength: field.maxLength,
      required: isNeeded,
      dir: "auto",
      autocomplete: "off",
      placeholder: field.default,
      oninput: (event) => put(event.target.value === "" && !isNeeded ? undefined : event.target.value),
    }),
  ];
}

// Ambiguous numbers stay as typed, so that nothing overwrites the text of a focused field.
function numeric(one) {
  const { value, put, field, isNeeded } = one;
  const oninput = ({ target }) => {
    const read = readNumber(target.value);
    const isOut = read !== null && (read < field.minimum || read > field.maximum);
    const range = isOut ? `${field.minimum ?? "…"} … ${field.maximum ?? "…"}` : "";
    target.setCustomValidity(Number.isNaN(read) ? t("form.ambiguous_number") : range);
    put(Number.isNaN(read) ? target.value : (read ?? undefined));
  };
  return [
    label(one),
    h("input", {
      ...shared(one),
      type: "text",
      inputmode: field.minimum >= 0 ? "decimal" : "text",
      dir: "ltr",
      autocomplete: "off",
      value: String(value ?? ""),
      required: isNeeded,
      placeholder: field.default,
      oninput,
    }),
  ];
}

function checkbox(one) {
  const { value, put, field, label: words } = one;
  return h(
    "label",
    { class: "row check", for: one.id },
    h("input", {
      ...shared(one),
      type: "checkbox",
      checked: value ?? field.default ?? false,
      onchange: (event) => put(event.target.checked),
    }),
    words,
  );
}

export function select(one, pairs) {
  const { value, put, isNeeded = true } = one;
  const options = isNeeded && pairs.some(([key]) => key === value) ? pairs : [["", t("host.correct_none")], ...pairs];
  const chosen = (event) => put(pairs.find(([key]) => String(key) === event.target.value)?.[0]);
  return [
    label(one),
    h(
      "select",
      { ...shared(one), required: isNeeded, onchange: chosen },
      options.map(([key, words]) => h("option", { key, value: key, selected: key === (value ?? "") }, words)),
    ),
  ];
}

// Short texts are separated by commas, others by lines.
function list(one) {
  const { value, put, field } = one;
  const isShort = field["x-ui"]?.widget === "list";
  const texts = value ?? field.default ?? [];
  const onchange = (event) =>
    put(
      typed(
        event.target.value
          .split(isShort ? COMMAS : "\n")
          .map((each) => each.trim())
          .filter(Boolean),
        field.items,
      ),
    );
  const common = { ...shared(one), dir: "auto", autocomplete: "off", onchange };
  return [
    label(one),
    isShort
      ? h("input", { ...common, value: texts.join(", ") })
      : h("textarea", {
          ...common,
          rows: Math.max(3, texts.length + 1),
          value: texts.join("\n"),
          placeholder: t("host.line_each"),
        }),
  ];
}

const typed = (texts, items) =>
  ["integer", "number"].includes(items?.type) ? texts.map(Number).filter(Number.isFinite) : texts;
