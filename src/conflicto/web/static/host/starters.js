// Three ways to begin, for a session that has nothing yet: examples that the first activity types bring along.

import { questionOf } from "../core/activity.js";
import { titleOf } from "../core/types.js";
import { boot } from "../core/words.js";

const MOST = 3;

export class Starters {
  #caller; #draw;
  #found = null;

  constructor(caller, draw) {
    this.#caller = caller;
    this.#draw = draw;
  }

  // [{type, icon, text, config, secret}]; what is not there yet is fetched, and drawn when it comes.
  get all() {
    if (!this.#found) this.#fetch();
    return this.#found;
  }

  async #fetch() {
    this.#found = [];
    const types = Object.keys(boot.types).slice(0, MOST);
    const read = await Promise.all(types.map((type) => this.#caller.get(`/activity-types/${type}`).catch(() => null)));
    this.#found = read.filter((each) => each?.examples?.length).map(starter);
    this.#draw();
  }
}

function starter({ type, examples: [{ config, secret = null }] }) {
  return { type, icon: boot.types[type].icon, text: `${titleOf(type)}: ${questionOf({ type, config })}`, config, secret };
}
