// What the server told of activity types. A page knows none of them by name.

import { boot, text } from "./words.js";

const NOTHING = { views: [], texts: {}, standard: {}, counted: {} };

export const typeOf = (name) => ({ ...NOTHING, ...boot.types[name] });

export const titleOf = (name) => boot.types[name]?.title ?? name;

// What counts: what the host said, and the type's own where nothing was said.
export const configOf = ({ type, config }) => ({ ...typeOf(type).standard, ...config });

// A text of the type's own catalog.
export const textOf = (type, key, values) => text(typeOf(type).texts, key, values);

// The values that may be counted under a name, in their own order, each with its words; [] if nobody knows them beforehand.
export function valuesOf(activity, name) {
  const config = configOf(activity);
  const place = typeOf(activity.type).counted[name] ?? {};
  if (place.in) return listed(config, place.in, place.label);
  const [from, to] = place.min ? [at(config, place.min), at(config, place.max)] : [place.from, place.to];
  return Number.isInteger(from) && Number.isInteger(to) && to - from < 100 ? Array.from({ length: to - from + 1 }, (_, step) => ({ value: from + step })) : [];
}

// What can be chosen, where it has words of its own.
export function choicesOf(activity) {
  const names = Object.entries(typeOf(activity.type).counted).filter(([, place]) => place.in);
  return names.map(([name]) => valuesOf(activity, name)).find((values) => values.length) ?? [];
}

// The values at a pointer into a config, in which `*` stands for every element, each with the row it is in.
export function listed(config, pointer, label = null) {
  const [list, key = ""] = pointer.split("/*");
  const rows = at(config, list);
  return (Array.isArray(rows) ? rows : [rows]).filter((row) => row !== undefined && row !== null)
    .map((row) => ({ value: at(row, key), text: label ? row[label] : undefined, row }));
}

function at(value, pointer) {
  const steps = pointer.split("/").slice(1).map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  return steps.reduce((found, step) => found?.[step], value);
}
