// Every control of a running session, once: its key, its button, and when it acts. Host pages and screens draw from the same table.

import { h } from "../core/dom.js";
import { t } from "../core/words.js";
import { MORE_S } from "./steps.js";

const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];

// `page` brings what only a page can do: help, and what Escape closes. A command without a `label` has a button elsewhere on the page.
export function commandsOf(steps, page) {
  const live = [...leading(steps), ...showing(steps), ...timing(steps)];
  return [...live.map((each) => ({ ...each, works: () => isLive(steps) && each.works() })), ...always(steps, page)];
}

const isLive = ({ session, isOffline }) => Boolean(session) && session.status !== "completed" && !isOffline;
const isActive = ({ session }) => session.status === "active";

const leading = (steps) => [
  { name: "next", keys: [" ", "Enter", "ArrowRight", "PageDown"], shown: "␣ ⏎ →", works: () => Boolean(steps.step.act), act: () => steps.step.act() },
  { name: "previous", keys: ["ArrowLeft", "PageUp"], shown: "←", label: () => t("key.previous"), works: () => steps.previous !== null, act: () => steps.show(steps.previous) },
  { name: "jump", keys: DIGITS, shown: "1 … 9", works: () => isActive(steps) && steps.activities.length > 0, act: (key) => steps.jump(Number(key)) },
  { name: "lock", keys: ["l"], shown: "L", label: () => t(steps.isRunning ? "key.close" : "key.reopen"),
    works: () => steps.isRunning || (steps.shown?.status === "expired" && !steps.shown.results_revealed && isActive(steps)),
    act: () => (steps.isRunning ? steps.lock() : steps.reopen()) },
  { name: "reset", keys: ["r"], shown: "R", label: () => t("key.reset"), danger: true, works: () => steps.shown !== null && isActive(steps), act: () => steps.reset() },
  { name: "undo", keys: ["Ctrl+z"], shown: "Ctrl Z", works: () => steps.undo !== null, act: () => steps.undo.act() },
];

const showing = (steps) => [
  { name: "results", keys: ["h"], shown: "H", label: () => t(steps.shown.results_revealed ? "key.hide" : "key.show"), isOn: () => steps.shown.results_revealed,
    works: () => steps.shown?.results_visibility === "after_reveal", act: () => steps.showResults(!steps.shown.results_revealed) },
  { name: "correct", keys: ["c"], shown: "C", label: () => t("key.correct"), isOn: () => steps.shown.secret_revealed,
    works: () => steps.shown?.status === "expired" && (steps.shown.secret ?? null) !== null, act: () => steps.showSecret(!steps.shown.secret_revealed) },
  overlay(steps, "join", ["j"], "J"),
  overlay(steps, "leaderboard", ["g"], "G"),
  overlay(steps, "names", ["n"], "N"),
  overlay(steps, "black", ["b", "."], "B ."),
];

const overlay = (steps, name, keys, shown) => ({
  name, keys, shown, label: () => t(`key.${name}`), isOn: () => steps.session.overlay === name, works: () => true, act: () => steps.cover(name),
});

const timing = (steps) => [
  { name: "timer", keys: ["t"], shown: "T", label: () => t("key.timer"), works: () => steps.isRunning && !steps.shown.ends_at, act: () => steps.startTimer() },
  { name: "again", keys: ["Shift+t"], shown: "⇧ T", label: () => t("key.again"), works: () => steps.isRunning && Boolean(steps.shown.ends_at), act: () => steps.startTimer() },
  { name: "more", keys: ["+"], shown: "+", label: () => t("key.more", { n: MORE_S }), works: () => steps.isRunning && Boolean(steps.shown.ends_at), act: () => steps.more() },
];

const always = (steps, page) => [
  { name: "full", keys: ["f"], shown: "F", label: () => t("key.full"), works: () => Boolean(document.fullscreenEnabled), act: fullScreen },
  { name: "leave", keys: ["Escape"], shown: "Esc", works: () => Boolean(steps.session?.overlay) && !steps.isOffline, act: () => steps.cover(steps.session.overlay) },
  { name: "help", keys: ["?"], shown: "?", works: () => true, act: page.help },
];

export function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen().catch(() => null);
}

const AS_STEP = { lock: "lock", reveal: "results" };

// The buttons of those commands that act now, but for what the large button does already: the step of that name.
export function drawButtons(commands, step) {
  return commands.filter((each) => each.label && each.works() && each.name !== AS_STEP[step]).map((each) =>
    h("button", {
      type: "button", key: each.name, onclick: () => each.act(), class: each.danger ? "danger" : null, "data-command": each.name,
      "aria-pressed": each.isOn ? String(each.isOn()) : null, title: each.shown,
    }, each.label()));
}

// The list of keys: those that act now and no others.
export function drawKeys(commands) {
  return h("dl", { class: "keys" }, commands.filter((each) => each.works()).map((each) =>
    h("div", { key: each.name, class: "row" }, h("dt", {}, h("kbd", {}, each.shown)), h("dd", {}, t(`key.does.${each.name}`)))));
}
