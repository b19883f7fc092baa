// The preview of an edited activity on phone and screen, drawn by their views.

import { questionOf } from "../core/activity.js";
import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { typeKey } from "../core/types.js";
import { drawActivity } from "../elements/activity_view.js";
import { viewClass, viewOf } from "../elements/views.js";

export function drawPreview(edited, draw) {
  const activity = previewed(edited);
  return h(
    "section",
    { class: "preview", "aria-label": t("host.preview"), key: "preview" },
    h("h3", {}, t("host.preview")),
    h("div", { class: "phone-frame", inert: true }, h("div", { class: "now" }, phone(activity, draw))),
    h(
      "div",
      { class: "projector", inert: true },
      h(
        "div",
        { class: "stage" },
        h("section", { class: "question" }, drawActivity(activity, { phase: "open", redraw: draw })),
      ),
    ),
  );
}

// Returns the activity as participants would receive it.
function previewed({ type, known, config, fields }) {
  const isPublic = (key) => (known.config.properties?.[key]?.["x-scope"] ?? "public") === "public";
  return {
    ...fields,
    id: "preview",
    type,
    round: 1,
    status: "active",
    ends_at: null,
    secret: null,
    config: Object.fromEntries(Object.entries(config ?? {}).filter(([key]) => isPublic(key))),
  };
}

function view(tag, activity) {
  if (tag === null) return h("p", { class: "muted" }, t("state.loading"));
  if (tag === "failed") return h("p", { class: "bad" }, t("state.display_failed"));
  return h(tag, {
    key: "view",
    unmanaged: true,
    ".activity": activity,
    ".phase": "open",
    ".mine": null,
    ".answers": [],
    ".draft": null,
    ".responses": [],
    ".results": null,
  });
}

function phone(activity, draw) {
  const tag = viewOf(typeKey(activity), "participant", draw);
  const isInstant = viewClass(tag)?.isInstant;
  return [
    h("p", { class: "h1", dir: "auto" }, questionOf(activity)),
    view(tag, activity),
    isInstant ? null : h("button", { type: "button", class: "primary wide", disabled: true }, t("answer.send")),
  ];
}
