// The dialog of the word filter.

import { h } from "../core/dom.js";
import { boot, t } from "../core/i18n.js";
import { select } from "./fields.js";

const MODES = ["off", "mask", "hold"];

// Returns the state of the dialog: the session's filter, by default with the page's language.
export function filterState({ mode, languages, words }) {
  return {
    mode,
    languages: languages.length || words.length ? languages : [document.documentElement.lang],
    words: words.join("\n"),
    message: "",
  };
}

export function drawFilter(edited, store, { close, draw }) {
  const put = (name) => (value) => {
    edited[name] = value;
    draw();
  };
  const choose = (language, isOn) =>
    put("languages")(isOn ? [...edited.languages, language] : edited.languages.filter((each) => each !== language));
  const onsubmit = (event) => {
    event.preventDefault();
    void save(edited, store, { close, draw });
  };
  return h(
    "form",
    { class: "stack", onsubmit, key: "filter" },
    h("h2", {}, t("host.filter")),
    h("p", { class: "muted" }, t("host.filter_hint")),
    select(
      { id: "w-mode", label: t("host.filter_mode"), value: edited.mode, put: put("mode") },
      MODES.map((each) => [each, t(`host.filter_${each}`)]),
    ),
    h(
      "fieldset",
      { class: "stack-tight" },
      h("legend", { class: "strong" }, t("host.filter_languages")),
      Object.entries(boot.languages).map(([language, name]) =>
        h(
          "label",
          { key: language, class: "row check" },
          h("input", {
            type: "checkbox",
            checked: edited.languages.includes(language),
            onchange: (event) => choose(language, event.target.checked),
          }),
          h("span", { lang: language }, name),
        ),
      ),
    ),
    h("label", { for: "w-words" }, t("host.filter_words")),
    h("textarea", {
      id: "w-words",
      rows: 3,
      dir: "auto",
      spellcheck: "false",
      value: edited.words,
      oninput: (event) => (edited.words = event.target.value),
    }),
    h("p", { class: "bad", role: "alert" }, edited.message),
    h(
      "div",
      { class: "row wrap" },
      h("button", { class: "primary" }, t("host.save")),
      h("button", { type: "button", onclick: close }, t("host.cancel")),
    ),
  );
}

async function save(edited, store, { close, draw }) {
  const { mode, languages } = edited;
  const words = edited.words
    .split("\n")
    .map((each) => each.trim())
    .filter(Boolean);
  if (mode !== "off" && !languages.length && !words.length) {
    edited.message = t("host.filter_empty");
    draw();
    return;
  }
  const saved = await store.patch({ word_filter: { mode, languages, words } });
  edited.message = store.message;
  if (saved) close();
  else draw();
}
