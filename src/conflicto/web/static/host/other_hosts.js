// Actions of other hosts, from the session's audit log. The own token identifies this host.

import { subjectOf } from "../core/api.js";
import { t } from "../core/i18n.js";

const DONE = {
  activity: { active: "start", expired: "close", published: "announce", draft: "withdraw" },
  session: { active: "open", completed: "end", "tokens-rotated": "rotate" },
};

export class OtherHosts {
  #client;
  #path;
  /** @type {number | null} */
  #seen = null;

  constructor(client, path) {
    this.#client = client;
    this.#path = `${path}/transitions`;
  }

  // Returns the newest entry of another host since the last call, or null.
  async latest() {
    if (this.#seen === null) {
      this.#seen = (await this.#client.get(`${this.#path}?limit=1`)).total;
      return null;
    }
    const { items } = await this.#client.get(`${this.#path}?limit=100&offset=${this.#seen}`);
    this.#seen += items.length;
    const me = subjectOf(this.#client.token);
    return items.findLast(({ actor }) => actor !== me && actor !== "system") ?? null;
  }
}

// Returns an entry of the audit log as a sentence. `titleOf(id)` returns an activity's title.
export function describe({ actor, entity, entity_id: id, to_status: to }, titleOf) {
  const what = DONE[entity]?.[to];
  if (!what) return null;
  const who = actor === "admin" ? t("host.operator") : t("host.other", { name: actor.split("-").at(-1).slice(0, 4) });
  return t(`host.log.${what}`, { who, title: titleOf(id) });
}
