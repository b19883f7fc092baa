// Downloads of a session's responses: a choice of rows, and a button for each format.

import { Problem, toProblem } from "../core/api.js";
import { h, patch } from "../core/dom.js";
import { boot, t } from "../core/i18n.js";

const FORMATS = [
  ["csv", "CSV"],
  ["xlsx", "Excel (XLSX)"],
  ["jsonl", "JSON Lines"],
];
const SHAPES = ["responses", "long", "table", "wide", "codebook"];

const WAIT_S = 2; // for the file; longer exports show their progress
const POLL_MS = 2_000;

// Draws the downloads into `node`, and updates them.
export function fillExports(node, client, path) {
  const state = { shape: SHAPES[0], isWriting: false, job: null, isCancelled: false, message: "" };
  const put = (fields) => {
    Object.assign(state, fields);
    patch(
      node,
      drawExports(state, put, {
        begin: (format) => download(client, path, `format=${format}&shape=${state.shape}`, state, put),
        cancel: () => {
          put({ isCancelled: true });
          client
            .delete(jobPath(path, state.job))
            .catch((problem) => put({ isCancelled: false, message: problem.text }));
        },
      }),
    );
  };
  put({});
}

function drawExports({ shape, isWriting, job, message }, put, { begin, cancel }) {
  return [
    h("h2", { id: "exports-title" }, t("host.export")),
    h("label", { for: "export-shape" }, t("host.export_rows")),
    h(
      "select",
      { id: "export-shape", onchange: (event) => put({ shape: event.target.value }) },
      SHAPES.map((each) => h("option", { key: each, value: each, selected: each === shape }, t(`host.export_${each}`))),
    ),
    h(
      "div",
      { class: "row wrap" },
      FORMATS.map(([format, words]) =>
        h("button", { key: format, type: "button", disabled: isWriting, onclick: () => begin(format) }, words),
      ),
    ),
    h("p", { class: "muted", role: "status", key: "writing" }, isWriting ? t("host.export_writing") : ""),
    job ? drawProgress(job, cancel) : null,
    h("p", { class: "bad", role: "alert", key: "message" }, message),
  ];
}

// No live region: numbers that change every two seconds are not read aloud.
function drawProgress({ responses_read: n, responses_total: all, status }, cancel) {
  return h(
    "div",
    { class: "row wrap", key: "progress" },
    h("progress", { "aria-labelledby": "export-progress", max: all || 1, value: n }),
    h("span", { id: "export-progress" }, t("host.export_progress", { n, all: all ?? "…" })),
    status === "running" ? h("button", { type: "button", onclick: cancel }, t("host.cancel")) : null,
  );
}

async function download(client, path, query, state, put) {
  put({ isWriting: true, isCancelled: false, message: "" });
  try {
    save(await fetchExport(client, path, query, put));
    put({ isWriting: false, job: null });
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    put({ isWriting: false, job: null, message: state.isCancelled ? "" : reason(problem) });
  }
}

const reason = (problem) =>
  problem.code === "export-busy" ? t("host.export_busy", { n: problem.body.retry_after_s ?? 5 }) : problem.text;

async function fetchExport(client, path, query, put) {
  const response = await request(client, `${path}/export?${query}`, { Prefer: `respond-async, wait=${WAIT_S}` });
  if (response.status !== 202) return fileOf(response);
  let job = await response.json().catch(failOffline);
  for (; job.status === "running"; job = await pollJob(client, path, job)) put({ job });
  put({ job });
  if (job.status === "failed") throw new Problem(410, { code: "export-failed", server: boot.server });
  const file = await fileOf(await request(client, `${jobPath(path, job)}/file`));
  client.delete(jobPath(path, job)).catch(() => null); // the server deletes it later otherwise
  return file;
}

// Returns the job after a pause. Transient problems return the known state.
async function pollJob(client, path, job) {
  await new Promise((go) => setTimeout(go, POLL_MS));
  try {
    return await client.get(jobPath(path, job));
  } catch (problem) {
    if (!problem.isTransient) throw problem;
    return job;
  }
}

const jobPath = (path, { id }) => `${path}/exports/${id}`;

const failOffline = () => {
  throw new Problem(0, { code: "offline" });
};

// Has no timeout, because large files take minutes. An interrupted file is an error.
async function request(client, address, more = {}) {
  const response = await fetch(`~/api/v1${address}`, { headers: client.headers(more), cache: "no-store" }).catch(
    failOffline,
  );
  client.renew(response);
  const isPage = response.headers.get("Content-Type")?.startsWith("text/html"); // of a captive portal, never an export
  if (!response.ok || isPage)
    throw toProblem(response.status, Object(await response.json().catch(() => null)), client.token);
  return response;
}

async function fileOf(response) {
  const [, name] = /filename\*=UTF-8''([^;]+)/.exec(response.headers.get("Content-Disposition")) ?? [null, "answers"];
  return { name: decodeURIComponent(name), file: await response.blob().catch(failOffline) };
}

function save({ name, file }) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
