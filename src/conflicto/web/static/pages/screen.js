// The screen: join code, question and visible results. It never shows an error.

import { areResultsVisible, drawTimer, phaseOf } from "../core/activity.js";
import { TimeAnnouncer } from "../core/announce.js";
import { Client, tokens } from "../core/api.js";
import { h, patch } from "../core/dom.js";
import { FeedFollower, Fold } from "../core/feed.js";
import { t } from "../core/i18n.js";
import { joinLink, origin } from "../core/links.js";
import { moveOnWhenQuiet } from "../core/newer_page.js";
import { drawActivity } from "../elements/activity_view.js";
import { enableAppearance } from "../elements/appearance_loader.js";
import { adoptToken } from "../elements/link_token.js";
import { drawCode } from "../elements/qr.js";
import { Bar } from "../screen/bar.js";
import { syncClock } from "../screen/clock.js";
import { fit } from "../screen/fit.js";
import { countOf, drawLeaderboard, drawMore } from "../sdk/results.js";

enableAppearance();

const POLL_MS = 1_000;
const main = document.getElementById("main");
const id = location.pathname.split("/").at(-1);
tokens.removeOperator();
await adoptToken("token", `screen.${id}`, `/sessions/${id}`);
const client = new Client(`screen.${id}`);
const path = `/sessions/${id}`;
const address = origin().replace(/^https?:\/\//, "");

const fold = new Fold();
const timeAnnouncer = new TimeAnnouncer();
let isOffline = false;
let reason = ""; // the problem as text, after a minute or from the server
let status = null;
let results = null;
let ranks = null;
let names = null; // of participants, while a host shows them
let failedSlot = null; // the slot whose own view failed

main.replaceChildren();
const bar = new Bar();
if (client.token) begin();
else patch(main, h("p", { class: "note" }, t("screen.no_token")));

function begin() {
  main.addEventListener("failed", () => {
    failedSlot = shown() && slotOf(shown());
    draw();
  });
  draw();
  new FeedFollower(client, id, {
    apply: (items) => {
      fold.apply(items);
      draw();
    },
    connected,
    gone: (problem) => {
      reason = problem.text;
      return true;
    },
    outdated: () => {
      bar.isOutdated = true;
      draw();
      moveOnWhenQuiet(() => !isOffline && !(shown() && phaseOf(shown()) === "open"));
    },
  }).start();
  syncClock(client, id);
  void poll();
  stayAwake();
  document.addEventListener("visibilitychange", () => document.hidden || stayAwake());
  void control();
}

// Shows a lost connection, because someone may have to act. The screen keeps retrying.
function connected(is, problem = null) {
  isOffline = !is;
  reason = is ? "" : (problem?.text ?? reason);
  draw();
}

// Enables keys and buttons in a browser with a host's token. They use that token, never the screen's.
async function control() {
  if (!tokens.get(`host.${id}`)) return bar.listen();
  const { Remote } = await import("../host/remote.js");
  bar.remote = new Remote(new Client(`host.${id}`), id, draw);
  await bar.remote.open().catch(() => {
    bar.remote = null;
    bar.listen();
  });
}

// Keeps the display awake. Browsers allow this over HTTPS only; otherwise a hint asks for it.
function stayAwake() {
  if (!navigator.wakeLock) return bar.hint(t("screen.keep_awake"));
  navigator.wakeLock.request("screen").catch(() => bar.hint(t("screen.keep_awake")));
}

function shown() {
  const { current_activity_id: current, shown_activity_id: other } = fold.session ?? {};
  return fold.entities.activity.get(current ?? other)?.data ?? null;
}

// Polls results again that are still being counted.
function retryLater({ status: code, retryAfterS }) {
  if (code === 503 && retryAfterS) setTimeout(poll, retryAfterS * 1000);
  return null;
}

async function poll() {
  const activity = shown();
  status = (await client.get(`${path}/status`).catch(() => null)) ?? status;
  if (activity) {
    const at = `${path}/activities/${activity.id}`;
    const found =
      (areResultsVisible(activity)
        ? await client.get(`${at}/results`).catch((problem) => retryLater(problem))
        : null) ?? (await client.get(`${at}/status`).catch(() => null));
    if (found && found.activity_id === shown()?.id) results = found;
    timeAnnouncer.tick(activity);
  }
  if (
    fold.session?.overlay === "leaderboard" ||
    (results?.results && Object.values(results.results).some(({ op }) => op === "score"))
  ) {
    ranks = await client.get(`${path}/leaderboard?limit=8`).catch(() => null);
  } else ranks = null;
  // Names of removed participants vanish with the next poll; a lost connection removes none.
  if (fold.session?.overlay === "names")
    names = await client.get(`${path}/names`).catch((problem) => (problem.isTransient ? names : null));
  else names = null;
  draw();
  setTimeout(poll, names ? POLL_MS / 2 : POLL_MS);
}

function draw() {
  const session = fold.session;
  const activity = session?.status === "active" ? shown() : null;
  const overlay = session?.status === "completed" ? null : session?.overlay;
  document.documentElement.dataset.overlay = overlay ?? "";
  patch(main, [
    content(session, activity, overlay),
    isOffline ? h("p", { class: "lost", key: "lost" }, h("span", {}, [t("screen.lost"), reason].join(" "))) : null,
    tokens.arePersistent
      ? null
      : h("p", { class: "lost", key: "no-storage" }, h("span", {}, t("state.no_storage_link"))),
  ]);
  queueMicrotask(() => fit(main)); // after the views of types, which draw in a microtask
  bar.draw();
}

function content(session, activity, overlay) {
  if (overlay === "black") return h("h1", { class: "hidden-text", key: "black" }, t("screen.black"));
  if (overlay) return drawOverlay(session, overlay);
  return activity ? [question(activity), aside(session, activity)] : lobby(session);
}

function drawOverlay(session, overlay) {
  if (overlay === "join") {
    return h(
      "section",
      { class: "lobby cover", key: "cover join" },
      h("h1", {}, t("screen.lobby")),
      h("div", { class: "join" }, joinInfo(session)),
    );
  }
  if (overlay === "names") {
    return [
      h(
        "section",
        { class: "question", key: "cover names" },
        h("h1", {}, t("screen.names")),
        h(
          "ul",
          { class: "names" },
          (names?.items ?? []).map((name) => h("li", { key: name, dir: "auto" }, name)),
        ),
        drawMore(names ? (status?.participant_count ?? 0) - names.items.length : 0),
      ),
      h("aside", { class: "join", key: "join", "aria-label": t("screen.lobby") }, joinInfo(session)),
    ];
  }
  return h(
    "section",
    { class: "lobby cover", key: "cover ranks" },
    h("h1", {}, t("leaderboard.title")),
    drawLeaderboard(ranks) ?? h("p", { class: "large muted" }, t("screen.no_points")),
  );
}

function joinInfo(session) {
  return [
    drawCode(joinLink(session), t("screen.qr")),
    h(
      "div",
      { class: "where" },
      h("p", { class: "muted" }, t("screen.join")),
      h("p", { class: "strong", dir: "ltr" }, address),
      h("p", { class: "big-code", dir: "ltr", style: { "--letters": session.join_code.length } }, session.join_code),
      h("p", { class: "muted" }, t("state.people", { n: status?.participant_count ?? 0 })),
    ),
  ];
}

function lobby(session) {
  return h(
    "section",
    { class: "lobby", key: "lobby" },
    h("h1", { dir: "auto" }, session?.title ?? ""),
    session?.subtitle ? h("p", { class: "large muted", key: "subtitle", dir: "auto" }, session.subtitle) : null,
    session?.status === "completed" ? h("p", { class: "large" }, t("screen.ended")) : null,
    session && session.status !== "completed" ? h("div", { class: "join" }, joinInfo(session)) : null,
  );
}

// Draws the join code beside the question, for participants who come late.
function aside(session, activity) {
  return h(
    "aside",
    { class: "join", key: "join", "aria-label": t("screen.lobby") },
    joinInfo(session),
    h("p", { class: "figures" }, countOf(counted(activity))),
    activity.status === "expired" ? h("p", { class: "closed", key: "closed" }, t("state.locked")) : null,
    drawTimer(activity),
  );
}

function counted({ id: of, round }) {
  return results?.activity_id === of && results.round === round ? results : null;
}

function question(activity) {
  const here = counted(activity);
  const message = fold
    .all("response")
    .filter((each) => each.activity_id === activity.id && each.round === activity.round && !each.deleted);
  return h(
    "section",
    { class: "question", key: activity.id },
    drawActivity(activity, {
      phase: phaseOf(activity),
      counted: here?.results ?? null,
      responses: message,
      count: here?.response_count ?? 0,
      ranks,
      isBroken: failedSlot === slotOf(activity),
      redraw: draw,
    }),
  );
}

const slotOf = ({ id: of, round }) => `${of} ${round}`;
