// Values in words, by the shape of a type's responses: names of the config, texts of the catalog, titles of members.

import { t } from "./i18n.js";
import { configOf, typeKey, typeOf, valuesAt } from "./types.js";

/** @import { ActivityLike, Shape, ValueSource } from "../shapes.js" */

/**
 * Returns a value in words. An object becomes pairs of title and value, and nothing is raw JSON.
 *
 * @param {any} value
 * @param {Shape} [shape]
 * @param {any} [config]
 * @returns {string}
 */
export function valueText(value, shape = {}, config = {}) {
  if (value === null || value === undefined) return "–";
  if (Array.isArray(value)) return value.map((each) => nestedText(each, shape.items, config)).join(", ");
  if (typeof value === "object")
    return Object.entries(value)
      .map(([name, each]) => memberText(name, each, shape, config))
      .join(" · ");
  const known = nameIn(shape.source, value, config) ?? shape.texts?.[String(value)];
  if (known !== undefined) return known;
  return typeof value === "boolean" ? t(value ? "results.yes" : "results.no") : String(value);
}

/**
 * Returns a response of an activity in words.
 *
 * @param {ActivityLike} activity
 * @param {any} response
 */
export const responseText = (activity, response) =>
  valueText(response, typeOf(typeKey(activity)).response, configOf(activity));

/**
 * @param {string} name
 * @param {any} value
 * @param {Shape} shape of the object
 * @param {any} config
 */
function memberText(name, value, { members = {}, names, others }, config) {
  const below = members[name] ?? others;
  const title = members[name]?.title ?? nameIn(names, name, config) ?? name;
  return `${title}: ${nestedText(value, below, config)}`;
}

/**
 * @param {any} value
 * @param {Shape | undefined} shape
 * @param {any} config
 */
function nestedText(value, shape, config) {
  const text = valueText(value, shape, config);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? `(${text})` : text;
}

/**
 * @param {ValueSource | undefined} source
 * @param {any} value
 * @param {any} config
 * @returns {string | undefined}
 */
function nameIn(source, value, config) {
  const values = source?.in ? valuesAt(config, source.in, source.label) : [];
  return values.find((each) => String(each.value) === String(value))?.text;
}
