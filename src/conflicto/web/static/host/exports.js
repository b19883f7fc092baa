// Downloads of a session's answers: what a row is, and a button for each format.

import { Problem, refusal } from "../core/api.js";
import { h, patch } from "../core/dom.js";
import { t } from "../core/words.js";

const FORMATS = [["csv", "CSV"], ["xlsx", "Excel (XLSX)"], ["jsonl", "JSON Lines"]];
const SHAPES = ["responses", "long", "table", "wide", "codebook"];

// Fills `node`, and keeps it up to date by itself.
export function fillExports(node, caller, path) {
  const state = { shape: SHAPES[0], isWriting: false, said: "" };
  const put = (fields) => {
    Object.assign(state, fields);
    patch(node, picture(state, put, (format) => download(caller, `${path}/export?format=${format}&shape=${state.shape}`, put)));
  };
  put({});
}

function picture({ shape, isWriting, said }, put, begin) {
  return [
    h("h2", { id: "exports-title" }, t("host.export")),
    h("label", { for: "export-shape" }, t("host.export_rows")),
    h("select", { id: "export-shape", onchange: (event) => put({ shape: event.target.value }) },
      SHAPES.map((each) => h("option", { key: each, value: each, selected: each === shape }, t(`host.export_${each}`)))),
    h("div", { class: "row wrap" }, FORMATS.map(([format, words]) => h("button", { key: format, type: "button", disabled: isWriting, onclick: () => begin(format) }, words))),
    h("p", { class: "muted", role: "status", key: "writing" }, isWriting ? t("host.export_writing") : ""),
    h("p", { class: "bad", role: "alert", key: "said" }, said),
  ];
}

async function download(caller, address, put) {
  put({ isWriting: true, said: "" });
  try {
    save(await fetched(caller, address));
    put({ isWriting: false });
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    put({ isWriting: false, said: problem.code === "export-busy" ? t("host.export_busy", { n: problem.body.retry_after_s ?? 5 }) : problem.text });
  }
}

// Longer than any other request: a large session takes minutes. What breaks off half-way is no file.
async function fetched(caller, address) {
  const lost = () => {
    throw new Problem(0, { code: "offline" });
  };
  const answer = await fetch(`~/api/v1${address}`, { headers: caller.headers(), cache: "no-store" }).catch(lost);
  caller.renew(answer);
  const isPage = answer.headers.get("Content-Type")?.startsWith("text/html"); // of a portal, never a file of ours
  if (!answer.ok || isPage) throw refusal(answer.status, Object(await answer.json().catch(() => null)), caller.token);
  const [, name] = /filename\*=UTF-8''([^;]+)/.exec(answer.headers.get("Content-Disposition")) ?? [null, "answers"];
  return { name: decodeURIComponent(name), file: await answer.blob().catch(lost) };
}

function save({ name, file }) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
