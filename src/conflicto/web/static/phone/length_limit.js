// A field with the server's limit: counts characters as the server does, before anything is sent.

import { t } from "../core/i18n.js";

const lengthOf = (text) => [...text.normalize("NFKC").trim()].length;

export const limitLength = (max) => ({
  oninput: ({ target }) =>
    target.setCustomValidity(lengthOf(target.value) > max ? t("problem.nickname-invalid.too-long", { max }) : ""),
});
