// Types that a host installs for one session: shown with hash and rights, and asked before.

import { h } from "../core/dom.js";
import { boot, t } from "../core/i18n.js";
import { learnTypes } from "../core/feed.js";
import { typeOf } from "../core/types.js";

export class SessionTypes {
  items = []; // installed types, with icon and title
  #store;
  #draw;
  #hasRead = false;
  #pack = null; // a chosen file in Base64, with what the server found in it
  #faults = [];
  #isBusy = false;

  constructor(store, draw) {
    this.#store = store;
    this.#draw = draw;
  }

  get #path() {
    return `${this.#store.path}/activity-types`;
  }

  // Draws the form, null where the operator allows no own types. The first call fetches the list.
  view() {
    if (!boot.installs_types) return null;
    if (!this.#hasRead) void this.#read();
    return h(
      "details",
      { class: "stack-tight", key: "session-types" },
      h("summary", {}, t("host.install_type")),
      h("p", { class: "muted" }, t("host.install_type_hint")),
      this.#pack?.sha256 ? this.#question() : this.#chooser(),
      h("div", { role: "alert", key: "faults" }, this.#faults.length ? this.#listOfFaults() : null),
      this.#list(),
    );
  }

  #chooser() {
    return h(
      "label",
      { key: "file", class: "stack-tight" },
      t("host.install_type_file"),
      h("input", {
        type: "file",
        accept: ".zip",
        disabled: this.#isBusy,
        onchange: (event) => this.#choose(event.target),
      }),
    );
  }

  #question() {
    const { title, version, authors, license, homepage, sha256, size_bytes: size, views } = this.#pack;
    const rows = [
      ["host.install_type_name", `${title} ${version}`],
      ["host.install_type_authors", authors.join(", ") || "–"],
      ["host.install_type_license", license ?? "–"],
      ["host.install_type_homepage", homepage ?? "–"],
      ["host.install_type_size", t("host.install_type_bytes", { n: size })],
      ["SHA-256", sha256],
    ];
    return h(
      "div",
      { class: "stack-tight", key: "question" },
      h(
        "dl",
        {},
        rows.map(([key, value]) => [
          h("dt", { class: "strong" }, key.startsWith("host.") ? t(key) : key),
          h("dd", { dir: "auto" }, value),
        ]),
      ),
      h("p", {}, t("host.install_type_claims")),
      h("p", {}, t(views.length ? "host.install_type_views" : "host.install_type_no_views")),
      h(
        "div",
        { class: "row wrap" },
        h(
          "button",
          { type: "button", class: "primary", disabled: this.#isBusy, onclick: () => this.#send(sha256) },
          t("host.install_type_do"),
        ),
        h("button", { type: "button", onclick: () => this.#show(null) }, t("host.cancel")),
      ),
    );
  }

  #listOfFaults() {
    return h(
      "ul",
      { class: "bad" },
      this.#faults.map((fault) => h("li", { dir: "auto" }, fault)),
    );
  }

  #list() {
    return h(
      "ul",
      { class: "rows", key: "installed" },
      this.items.map(({ type, title, version }) =>
        h(
          "li",
          { key: type, class: "row wrap" },
          h("span", { class: "grow basis", dir: "auto" }, `${title} ${version}`),
          h(
            "button",
            { type: "button", "aria-label": `${t("host.delete")}: ${title}`, onclick: () => this.#remove(type) },
            t("host.delete"),
          ),
        ),
      ),
    );
  }

  async #choose({ files: [file] }) {
    if (!file) return;
    const bytes = new Uint8Array(await file.arrayBuffer());
    this.#pack = { body: btoa(Array.from(bytes, (byte) => String.fromCodePoint(byte)).join("")) };
    await this.#send(null);
  }

  // Sends the file: to be checked, or with the digest that was shown, to be installed.
  async #send(sha256) {
    const { body } = this.#pack;
    this.#isBusy = true;
    this.#draw();
    try {
      const found = await this.#store.client.post(this.#path, sha256 ? { pack: body, sha256 } : { pack: body });
      this.#isBusy = false;
      if (sha256) await this.#read();
      this.#show(sha256 ? null : { ...found, body });
    } catch (problem) {
      this.#isBusy = false;
      this.#show(null, problem.body?.faults ?? [problem.text ?? String(problem)]);
    }
  }

  #show(pack, faults = []) {
    this.#pack = pack;
    this.#faults = faults;
    this.#draw();
  }

  async #remove(type) {
    const problem = await this.#store.client.delete(`${this.#path}/${type}`).then(
      () => null,
      (error) => error,
    );
    await this.#read();
    this.#show(null, problem ? [problem.text ?? String(problem)] : []);
  }

  async #read() {
    this.#hasRead = true;
    const answer = await this.#store.client.get(this.#path).catch(() => null);
    const items = answer?.items ?? [];
    await learnTypes(items);
    this.items = items.map((item) => ({ ...item, ...shownBy(item) }));
    this.#draw();
  }
}

function shownBy({ type, type_version: version }) {
  const { icon = "{ }", title = type } = typeOf(`${type}.${version}`);
  return { icon, title };
}
