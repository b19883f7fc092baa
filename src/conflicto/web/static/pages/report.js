// The report of a session, to read and to print.

import { phaseOf, questionOf } from "../core/activity.js";
import { Client, Problem, tokens, withToken } from "../core/api.js";
import { h, patch } from "../core/dom.js";
import { formatDate, t } from "../core/i18n.js";
import { watchForNewerPage } from "../core/newer_page.js";
import { learnTypes } from "../core/feed.js";
import { enableAppearance } from "../elements/appearance_loader.js";
import { adoptToken } from "../elements/link_token.js";
import { fetchResults } from "../elements/results.js";
import { fillExports } from "../host/exports.js";
import { textsOf } from "../host/lists.js";
import { drawLeaderboard, drawRound, hasResultsView } from "../elements/results_view.js";
import { countOf } from "../sdk/results.js";

enableAppearance();

const RETRY_MS = 5_000;
const MAX_OWN_VIEWS = 20; // each frame may take a process; charts stand in for the others
const main = document.getElementById("main");
const id = location.pathname.split("/").at(-2);
tokens.removeOperator();
await adoptToken("token", `host.${id}`, `/sessions/${id}/links?limit=1`);
const client = new Client(`host.${id}`);
const path = `/sessions/${id}`;

main.replaceChildren();
watchForNewerPage(() => document.hidden && !document.querySelector("#exports :disabled")); // nobody reads, nothing is written
void begin();

async function begin() {
  try {
    await load();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    patch(
      main,
      h("p", { class: "bad" }, problem.status === 401 && !problem.isTransient ? t("host.no_token") : problem.text),
    );
    if (problem.isTransient) setTimeout(begin, RETRY_MS);
  }
}

async function load() {
  const [session, { items }, rehearsal, ranks] = await Promise.all([
    client.get(path),
    client.get(`${path}/activities?limit=1000`),
    client.get(`${path}/rehearsal`),
    client.get(`${path}/leaderboard?limit=1000`).catch(() => null),
  ]);
  await learnTypes(items);
  const parts = await Promise.all(items.filter(({ started_at }) => started_at).map(part));
  const draw = () => drawReport({ session, rehearsal, ranks, parts }, draw);
  draw();
  fillExports(document.getElementById("exports"), client, path);
}

function drawReport({ session, rehearsal, ranks, parts }, draw) {
  let left = MAX_OWN_VIEWS;
  const takesView = (activity) => hasResultsView(activity) && (left -= 1) >= 0;
  patch(main, [
    h("h1", { dir: "auto" }, session.title),
    h("p", { class: "muted" }, formatDate(session.created_at)),
    h(
      "div",
      { class: "row wrap no-print" },
      h("a", { class: "button", href: withToken(`~/host/s/${id}`, client.name, "token") }, t("host.title")),
      h("button", { type: "button", onclick: () => print() }, t("host.print")),
    ),
    rehearsal.participants ? h("p", { class: "banner" }, t("host.rehearsed", { n: rehearsal.participants })) : null,
    parts.length ? null : h("p", { class: "muted" }, t("results.none")),
    parts.map(({ activity, rounds }) =>
      h(
        "section",
        { class: "card stack", key: activity.id },
        h("h2", { dir: "auto" }, questionOf(activity)),
        rounds.map((round) => roundOf({ activity, hasOwnView: takesView(activity) }, round, rounds.length > 1, draw)),
      ),
    ),
    drawLeaderboard(ranks),
    h("section", { id: "exports", class: "card stack no-print", "aria-labelledby": "exports-title", unmanaged: true }),
  ]);
}

// Returns every round with visible responses only, in counts, charts and texts.
async function part(activity) {
  const at = `${path}/activities/${activity.id}`;
  const answers = await everyAnswer(at);
  const rounds = [];
  for (let roundNumber = 1; roundNumber <= activity.round; roundNumber += 1) {
    const counted = await fetchResults(client, `${at}/results?moderation=visible&round=${roundNumber}`);
    rounds.push({
      counted,
      answers: answers.filter(({ round, moderation }) => round === roundNumber && moderation === "visible"),
    });
  }
  return { activity, rounds };
}

function roundOf({ activity, hasOwnView }, { counted, answers }, isOneOfSeveral, redraw) {
  return h(
    "div",
    { class: "stack", key: counted.round },
    isOneOfSeveral ? h("h3", {}, t("host.round_n", { n: counted.round })) : null,
    h("p", { class: "muted" }, countOf(counted)),
    drawRound(
      counted.results,
      { ...activity, round: counted.round },
      {
        ...shownWith(activity, counted, answers, redraw),
        hasOwnView,
      },
    ),
    list(answers),
  );
}

// Returns what the view of results gets besides them.
const shownWith = (activity, { response_count: count }, responses, redraw) => ({
  phase: phaseOf(activity),
  responses,
  count,
  texts: textsOf(responses),
  most: Infinity,
  redraw,
});

async function everyAnswer(at) {
  const found = [];
  for (let cursor = "0", more = true; more;) {
    const page = await client.get(`${at}/responses/since/${cursor}?limit=1000`);
    found.push(...page.items.filter((each) => !each.deleted));
    ({ cursor, has_more: more } = page);
  }
  return found;
}

function list(answers) {
  const texts = [...textsOf(answers)];
  return texts.length
    ? h(
        "ul",
        {},
        texts.map(([key, text]) => h("li", { key }, h("span", { dir: "auto" }, text))),
      )
    : null;
}
