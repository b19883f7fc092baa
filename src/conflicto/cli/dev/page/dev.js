// The page of `conflicto types dev`: it shows the pages of a session side by side, and faults on top.

const POLL_MS = 300;
const REPORT_MS = 10_000; // a report shows what there was when it opened
const MAX_FAULTS = 50;
const NICKNAME = "You";
const NAMES = ["phone", "screen", "report", "editor", "host"];

/** @typedef {{ start: string, is_checked: boolean, title: string, faults: string[], links: Record<string, string> | null }} Status */

const element = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const frames = Object.fromEntries(NAMES.map((name) => [name, /** @type {HTMLIFrameElement} */ (element(name))]));

/** @type {string[]} Faults of views in the frames, since the last start. */
let viewFaults = [];
let shown = "";
/** @type {Status | null} */
let newest = null;
let isEditorOpen = false;

setInterval(look, POLL_MS);
setInterval(() => shown && frames.report.contentWindow?.location.reload(), REPORT_MS);
void look();

async function look() {
  newest = await readStatus();
  if (newest?.is_checked && newest.start !== shown) load(newest);
  for (const name of NAMES) listen(name);
  join();
  openEditor();
  draw();
}

/** @returns {Promise<Status | null>} null while the server starts again */
async function readStatus() {
  try {
    const response = await fetch("/dev/status", { cache: "no-store" });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

/** @param {Status} found */
function load({ start, links }) {
  shown = start;
  viewFaults = [];
  isEditorOpen = false;
  if (links) for (const name of NAMES) frames[name].src = links[name];
}

/**
 * Adds the lines that a page writes to its console to the faults. Each document of a frame has a console of its own.
 *
 * @param {string} name
 */
function listen(name) {
  const page = /** @type {any} */ (frames[name].contentWindow);
  if (!page?.console || page.isNotified) return;
  page.isNotified = true;
  const { error } = page.console;
  page.console.error = (/** @type {unknown[]} */ ...texts) => {
    error.apply(page.console, texts);
    addFault(`${name}: ${texts.join(" ")}`);
  };
  page.addEventListener("error", (/** @type {ErrorEvent} */ event) => addFault(`${name}: ${event.message}`));
}

/** @param {string} text */
function addFault(text) {
  if (viewFaults.includes(text) || viewFaults.length >= MAX_FAULTS) return;
  viewFaults.push(text);
  draw();
}

/** Joins with a nickname, as a person would. */
function join() {
  const field = /** @type {HTMLInputElement | null} */ (frames.phone.contentDocument?.querySelector("#nickname"));
  if (!field || field.value) return;
  field.value = NICKNAME;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.form?.requestSubmit();
}

/** Opens the editor of the type on the second page of hosts. */
function openEditor() {
  if (isEditorOpen || !newest) return;
  const buttons = [...(frames.editor.contentDocument?.querySelectorAll(".types button") ?? [])];
  const title = newest.title.split(": ").slice(1).join(": ");
  const button = /** @type {HTMLElement | undefined} */ (
    buttons.find(({ textContent }) => textContent?.includes(title))
  );
  button?.click();
  isEditorOpen = button !== undefined;
}

function draw() {
  const faults = [...(newest?.faults ?? []), ...viewFaults];
  element("title").textContent = newest?.title || "conflicto types dev";
  element("state").textContent = describe(faults.length);
  const list = element("faults");
  if (list.childElementCount === faults.length && faults.every((text, at) => list.children[at].textContent === text))
    return;
  list.replaceChildren(
    ...faults.map((text) => {
      const line = document.createElement("li");
      line.textContent = text;
      return line;
    }),
  );
}

/** @param {number} faults */
function describe(faults) {
  if (!newest?.is_checked) return "Loading …";
  return faults ? `${faults} ${faults === 1 ? "fault" : "faults"}` : "No faults";
}
