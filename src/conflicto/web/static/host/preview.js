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
    drawFault(edited, "participant", draw),
    h(
      "div",
      { class: "phone-frame", inert: true },
      h("div", { class: "now" }, phone(activity, draw, edited.faults.participant)),
    ),
    drawFault(edited, "screen", draw),
    h(
      "div",
      { class: "projector", inert: true },
      h(
        "div",
        { class: "stage" },
        h(
          "section",
          { class: "question" },
          drawActivity(activity, { phase: "open", redraw: draw, isBroken: Boolean(edited.faults.screen) }),
        ),
      ),
    ),
  );
}

// Draws the fault of a view with its type, version and place, for the host and the author.
export function drawFault(edited, which, draw) {
  const fault = edited.faults[which];
  if (!fault) return null;
  const retry = () => {
    delete edited.faults[which];
    draw();
  };
  return h(
    "div",
    { class: "stack-tight", key: `fault ${which}` },
    h("p", { class: "bad small", role: "alert" }, fault.text ?? t("view.stopped")),
    h("button", { type: "button", onclick: retry }, t("view.again")),
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

function phone(activity, draw, fault) {
  const tag = fault ? "failed" : viewOf(typeKey(activity), "participant", draw);
  const isInstant = viewClass(tag)?.isInstant;
  return [
    h("p", { class: "h1", dir: "auto" }, questionOf(activity)),
    view(tag, activity),
    isInstant ? null : h("button", { type: "button", class: "primary wide", disabled: true }, t("answer.send")),
  ];
}
