// The footer of a partial list.

import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";

// Draws the number of listed items and a button for more.
export const drawListFooter = (listed, all, onclick) =>
  h(
    "div",
    { class: "row wrap", key: "more" },
    h("p", { class: "muted grow basis", role: "status" }, t("host.listed", { listed, all })),
    h("button", { type: "button", onclick }, t("host.list_more")),
  );
