// Data of activity types from the server. No page knows a type by name.

import { boot, format } from "./i18n.js";

const NO_TYPE = { views: [], texts: {}, config_defaults: {}, value_sources: {} };

export const typeOf = (name) => ({ ...NO_TYPE, ...boot.types[name] });

export const titleOf = (name) => boot.types[name]?.title ?? name;

// Returns the config with the type's defaults.
export const configOf = ({ type, config }) => ({ ...typeOf(type).config_defaults, ...config });

// Returns a text of the type's own catalog.
export const textOf = (type, key, values) => format(typeOf(type).texts, key, values);

// Returns the possible values of an aggregation in order, with their texts, or [] if they are unknown.
export function valuesOf(activity, name) {
  const config = configOf(activity);
  const place = typeOf(activity.type).value_sources[name] ?? {};
  if (place.in) return valuesAt(config, place.in, place.label);
  const [from, to] = place.min
    ? [resolvePointer(config, place.min), resolvePointer(config, place.max)]
    : [place.from, place.to];
  return Number.isInteger(from) && Number.isInteger(to) && to - from < 100
    ? Array.from({ length: to - from + 1 }, (_, step) => ({ value: from + step }))
    : [];
}

// Returns the options of an activity.
export function choicesOf(activity) {
  const names = Object.entries(typeOf(activity.type).value_sources).filter(([, place]) => place.in);
  return names.map(([name]) => valuesOf(activity, name)).find((values) => values.length) ?? [];
}

// Returns the values at a pointer, each with its row. `*` stands for every element.
export function valuesAt(config, pointer, label = null) {
  const [list, key = ""] = pointer.split("/*");
  const rows = resolvePointer(config, list);
  return (Array.isArray(rows) ? rows : [rows])
    .filter((row) => row !== undefined && row !== null)
    .map((row) => ({ value: resolvePointer(row, key), text: label ? row[label] : undefined, row }));
}

function resolvePointer(value, pointer) {
  const steps = pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  return steps.reduce((found, step) => found?.[step], value);
}
