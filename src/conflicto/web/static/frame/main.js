// The script of a frame: takes the port from the page around it, shows the view, and passes messages on. All of its
// messages are JSON texts, so that the page can bound them before it reads them.

import { applyAppearance } from "./appearance.js";
import { faultOf, watchFaults } from "./faults.js";

const { type, view } = document.documentElement.dataset;
const address = new URL(`../types/${type}/${view}.js`, import.meta.url).href;
const CLASSES = { participant: "", screen: "own-view", results: "own-view", editor: "stack own-editor" };
const main = document.querySelector("main");
let port = null;
let element = null;
let isReady = false;
let hasForm = false;
let hasFailed = false;

// The only policy of this document, so that a view can make no nested document, which would have its own globals.
const scripts = globalThis.trustedTypes?.createPolicy("frame", { createScriptURL: (url) => url });

// No content security policy governs these connections, which would reach any host.
for (const name of ["RTCPeerConnection", "webkitRTCPeerConnection"]) delete globalThis[name];

addEventListener("message", ({ source, data, ports: [handed] }) => {
  if (source !== parent || !handed || port) return;
  port = handed;
  port.onmessage = (event) => receive(event.data);
  watchFaults((fault) => fail(fault, !isReady));
  void begin(data);
});

function send(kind, fields = {}) {
  let text;
  try {
    text = JSON.stringify({ type: kind, ...fields });
  } catch (error) {
    return fail(faultOf(error), false);
  }
  port.postMessage(text);
}

function fail(fault, isFatal) {
  if (hasFailed) return;
  hasFailed = isFatal;
  send("fault", { ...fault, isFatal });
}

function receive({ type: kind, n, texts, ...changes }) {
  if (kind === "ping") return send("pong", { n });
  apply(changes);
  if (texts) void addTexts(texts);
  setTimeout(sendHeight);
}

async function begin({ css, boot, ...changes }) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  document.adoptedStyleSheets = [sheet];
  document.getElementById("boot").textContent = JSON.stringify(boot);
  const shown = await load();
  if (!shown) return;
  start(shown, changes);
  setTimeout(() => {
    if (hasFailed) return;
    isReady = true;
    send("ready", { isInstant: shown.isInstant === true, showsResults: shown.showsResults === true });
    sendHeight();
  });
}

// The texts are read when the module is evaluated, so it is imported after the view's.
async function addTexts(texts) {
  const { boot } = await import("../core/i18n.js");
  Object.assign(boot.texts, texts);
  element.redraw?.();
}

async function load() {
  try {
    return (await import(address)).default;
  } catch (error) {
    await importAgain();
    fail(faultOf(error, address), true); // unless the window told the place
    return null;
  }
}

// The error of an import has no place. A script element that imports the module reports one to the window.
const importAgain = () =>
  new Promise((resolve) => {
    const script = document.createElement("script");
    Object.assign(script, {
      type: "module",
      src: scripts?.createScriptURL(address) ?? address,
      onload: resolve,
      onerror: resolve,
    });
    document.head.append(script);
  });

function start(shown, changes) {
  try {
    customElements.define("framed-view", shown);
    element = document.createElement("framed-view");
    if (!(element instanceof shown)) return fail(faultOf(new TypeError("the constructor failed")), true);
    element.className = CLASSES[view];
    listen();
    if (view === "editor") element.form = drawForm;
    apply(changes);
    main.append(element);
  } catch (error) {
    fail(faultOf(error), true);
  }
}

function listen() {
  new ResizeObserver(sendHeight).observe(main);
  element.addEventListener("failed", ({ detail }) => fail(faultOf(detail?.error), true));
  element.addEventListener("draft", ({ detail }) =>
    send("draft", { response: detail?.response ?? null, isComplete: detail?.isComplete === true }),
  );
  element.addEventListener("answer", ({ detail }) => send("submit", { response: detail?.response ?? null }));
  element.addEventListener("change", ({ detail }) => {
    if (detail?.config) send("change", { config: detail.config, secret: detail.secret ?? null });
  });
}

function drawForm() {
  if (!hasForm) send("form");
  hasForm = true;
  return null;
}

function apply({ appearance = null, ...changes }) {
  if (appearance) applyAppearance(appearance);
  for (const [name, value] of Object.entries(changes)) setProperty(name.slice(1), value);
}

function setProperty(name, value) {
  try {
    element[name] = value;
  } catch (error) {
    fail(faultOf(error), true);
  }
}

function sendHeight() {
  if (!document.querySelector("main.stage") && isReady) send("height", { height: main.getBoundingClientRect().height });
}
