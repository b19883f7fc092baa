// A new join code, and the removal of several participants after a preview of their number.

import { time } from "../core/api.js";
import { h } from "../core/dom.js";
import { boot, t } from "../core/i18n.js";
import { drawSimple, select } from "./fields.js";

const MINUTES = [1, 5, 15, 60];

const criteria = { part: "", minutes: "0", isErased: true };
let preview = null; // { n, body }: the number of matches, and the request that counted them

export const renewCode = (store) => confirm(t("host.new_code_sure")) && store.postSession("join-code");

export function drawBulkRemoval(store) {
  const put = (name) => (value) => {
    criteria[name] = value;
    preview = null;
    store.draw();
  };
  const onsubmit = (event) => {
    event.preventDefault();
    void count(store);
  };
  return h(
    "details",
    { class: "adding", key: "bulk-removal" },
    h("summary", { class: "button wide" }, t("host.bulk")),
    h(
      "form",
      { class: "stack inner", onsubmit },
      h("label", { for: "bulk-part" }, t("host.bulk_part")),
      h("input", {
        id: "bulk-part",
        maxlength: boot.limits.nickname,
        dir: "auto",
        autocomplete: "off",
        value: criteria.part,
        oninput: (event) => put("part")(event.target.value),
      }),
      select({ id: "bulk-since", label: t("host.bulk_since"), value: criteria.minutes, put: put("minutes") }, [
        ["0", t("host.bulk_any")],
        ...MINUTES.map((n) => [`${n}`, t("host.bulk_last", { n })]),
      ]),
      drawSimple({
        id: "bulk-erase",
        label: t("host.bulk_erase"),
        field: { type: "boolean" },
        value: criteria.isErased,
        put: put("isErased"),
      }),
      h(
        "div",
        { class: "row wrap" },
        h(
          "button",
          { key: "count", disabled: !criteria.part.trim() && criteria.minutes === "0" },
          t("host.bulk_count"),
        ),
        preview?.n
          ? h(
              "button",
              { type: "button", class: "danger", key: "remove", onclick: () => remove(store) },
              t("host.bulk_remove", { n: preview.n }),
            )
          : null,
      ),
      h("p", { class: "muted", role: "status", key: "none" }, preview?.n === 0 ? t("host.bulk_none") : ""),
    ),
  );
}

const send = (store, body) => store.client.post(`${store.path}/participants/remove`, body);

function removalBody() {
  const minutes = Number(criteria.minutes);
  const since = minutes && new Date(time.now() - minutes * 60_000).toISOString();
  return {
    ...(criteria.part.trim() ? { name_contains: criteria.part } : {}),
    ...(since ? { joined_since: since } : {}),
    responses: criteria.isErased ? "delete" : "keep",
  };
}

async function count(store) {
  const body = removalBody();
  const response = await store.run(() => send(store, { ...body, preview: true }));
  preview = response ? { n: response.matching, body } : null;
  store.draw();
}

// Each request removes a limited number and returns the number of remaining matches.
async function remove(store) {
  const { body } = preview;
  for (let left = preview.n; left > 0;) {
    left = (await store.run(() => send(store, body)))?.matching ?? 0;
    preview = left ? { n: left, body } : null;
    store.draw();
  }
}
