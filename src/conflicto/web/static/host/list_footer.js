// The end of a list that is longer than what is shown of it.

import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";

// Says how many of all are listed, and offers the next ones.
export const drawListFooter = (listed, all, onclick) => h("div", { class: "row wrap", key: "more" },
  h("p", { class: "muted grow basis", role: "status" }, t("host.listed", { listed, all })), h("button", { type: "button", onclick }, t("host.list_more")));
