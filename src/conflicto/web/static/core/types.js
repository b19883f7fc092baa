// Data of activity types from the server. No page knows a type by name.

import { boot, format } from "./i18n.js";

/** @import { ActivityLike, TypeData, Value, Values } from "../shapes.js" */

/** @type {TypeData} */
const NO_TYPE = { views: [], texts: {}, config_defaults: {}, value_sources: {}, drawings: {} };

/**
 * Returns the data of a type by its key, empty for "".
 *
 * @param {string} key
 * @returns {TypeData}
 */
export const typeOf = (key) => ({ ...NO_TYPE, ...(boot.types[key] ?? boot.versions?.[key]) });

/**
 * Returns the key of an activity's version of its type: `mood`, or `mood.1` for one of `boot.versions`. It is "" if the
 * activity is plain JSON here. An activity that is not stored yet has the newest version.
 *
 * @param {ActivityLike} activity
 */
export function typeKey({ type, type_version: version }) {
  const { version: newest, older = [] } = boot.types[type] ?? {};
  const stored = version === "unknown" ? (older.at(-1) ?? newest) : version;
  if (stored === undefined || stored === newest) return type;
  const key = `${type}.${stored}`;
  return boot.versions && key in boot.versions ? key : "";
}

/**
 * Returns whether the server, or this page, lacks the version of an activity's type. It takes no responses then.
 *
 * @param {ActivityLike} activity
 */
export const isUnavailable = (activity) =>
  Boolean(activity.type_version) && activity.type_version !== "unknown" && typeKey(activity) === "";

/**
 * Returns the name of a type by its key.
 *
 * @param {string} key
 */
export const nameOf = (key) => key.split(".")[0];

/** @param {string} name */
export const titleOf = (name) => boot.types[name]?.title ?? name;

/**
 * Returns the config with the type's defaults.
 *
 * @param {ActivityLike} activity
 */
export const configOf = (activity) => ({ ...typeOf(typeKey(activity)).config_defaults, ...activity.config });

/**
 * Returns a text of the type's own catalog.
 *
 * @param {string} type its key
 * @param {string} key
 * @param {Values} [values]
 */
export const textOf = (type, key, values) => format(typeOf(type).texts, key, values);

/**
 * Returns the possible values of an aggregation in order, with their texts, or [] if they are unknown.
 *
 * @param {ActivityLike} activity
 * @param {string} name
 * @returns {Value[]}
 */
export function valuesOf(activity, name) {
  const config = configOf(activity);
  const place = typeOf(typeKey(activity)).value_sources[name] ?? {};
  if (place.in) return valuesAt(config, place.in, place.label);
  if (place.values) return place.values;
  const from = place.min ? resolvePointer(config, place.min) : place.from;
  const to = place.max ? resolvePointer(config, place.max) : place.to;
  if (!Number.isInteger(from) || !Number.isInteger(to) || to - from >= 100) return [];
  return Array.from({ length: to - from + 1 }, (_, step) => ({ value: from + step }));
}

/**
 * Returns the possible values on the other side of pairs, or [] if they are unknown.
 *
 * @param {ActivityLike} activity
 * @param {string} name
 * @returns {Value[]}
 */
export function secondValuesOf(activity, name) {
  const place = typeOf(typeKey(activity)).value_sources[name]?.second;
  return place?.in ? valuesAt(configOf(activity), place.in, place.label) : [];
}

/**
 * Returns how a result is drawn, as far as its type declares it.
 *
 * @param {ActivityLike} activity
 * @param {string} name
 */
export const drawingOf = (activity, name) => typeOf(typeKey(activity)).drawings[name] ?? {};

/**
 * Returns the options of an activity.
 *
 * @param {ActivityLike} activity
 */
export function choicesOf(activity) {
  const names = Object.entries(typeOf(typeKey(activity)).value_sources).filter(([, place]) => place.in);
  return names.map(([name]) => valuesOf(activity, name)).find((values) => values.length) ?? [];
}

/**
 * Returns the values at a pointer, each with its row. `*` stands for every element.
 *
 * @param {unknown} config
 * @param {string} pointer
 * @param {string | null} [label]
 * @returns {Value[]}
 */
export function valuesAt(config, pointer, label = null) {
  const [list, key = ""] = pointer.split("/*");
  const rows = resolvePointer(config, list);
  return (Array.isArray(rows) ? rows : [rows])
    .filter((row) => row !== undefined && row !== null)
    .map((row) => ({ value: resolvePointer(row, key), text: label ? resolvePointer(row, label) : undefined, row }));
}

/**
 * @param {any} value
 * @param {string} pointer
 */
export function resolvePointer(value, pointer) {
  const steps = pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  return steps.reduce((found, step) => found?.[step], value);
}
