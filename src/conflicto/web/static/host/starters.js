// Suggestions for an empty session: examples of the first activity types.

import { questionOf } from "../core/activity.js";
import { boot } from "../core/i18n.js";
import { titleOf } from "../core/types.js";

const MAX_STARTERS = 3;

export class Starters {
  #client;
  #draw;
  #found = null;

  constructor(client, draw) {
    this.#client = client;
    this.#draw = draw;
  }

  // Returns [{type, icon, text, config, secret}]. The first call fetches them and draws afterwards.
  get all() {
    if (!this.#found) void this.#fetch();
    return this.#found;
  }

  async #fetch() {
    this.#found = [];
    const types = Object.keys(boot.types).slice(0, MAX_STARTERS);
    const read = await Promise.all(types.map((type) => this.#client.get(`/activity-types/${type}`).catch(() => null)));
    this.#found = read.filter((each) => each?.examples?.length).map(starter);
    this.#draw();
  }
}

function starter({ type, examples: [{ config: example, secret = null }] }) {
  const config = localized(example, "starter", boot.types[type].texts);
  return {
    type,
    icon: boot.types[type].icon,
    text: `${titleOf(type)}: ${questionOf({ type, config })}`,
    config,
    secret,
  };
}

// Translates an example with the type's catalog: `starter.options.0.text` is the text of its first option.
function localized(value, path, texts) {
  if (typeof value === "string") return texts[path] ?? value;
  if (Array.isArray(value)) return value.map((each, index) => localized(each, `${path}.${index}`, texts));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, localized(each, `${path}.${key}`, texts)]),
  );
}
