// Commands of a running session: keys, button and availability. Host pages and screens share this table.

import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { MORE_S } from "./session_control.js";

const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];

// `page.help` shows the help of a page. A command without a `label` has its button elsewhere.
export function commandsOf(control, page) {
  const live = [...leading(control), ...showing(control), ...timing(control)];
  return [
    ...live.map((each) => ({ ...each, isAvailable: () => isLive(control) && each.isAvailable() })),
    ...always(control, page),
  ];
}

const isLive = ({ session, isOffline }) => Boolean(session) && session.status !== "completed" && !isOffline;
const isActive = ({ session }) => session.status === "active";

const leading = (control) => [
  {
    name: "next",
    keys: [" ", "Enter", "ArrowRight", "PageDown"],
    shown: "␣ ⏎ →",
    isAvailable: () => Boolean(control.step.act),
    act: () => control.step.act(),
  },
  {
    name: "previous",
    keys: ["ArrowLeft", "PageUp"],
    shown: "←",
    label: () => t("key.previous"),
    isAvailable: () => control.previous !== null,
    act: () => control.show(control.previous),
  },
  {
    name: "jump",
    keys: DIGITS,
    shown: "1 … 9",
    isAvailable: () => isActive(control) && control.activities.length > 0,
    act: (key) => control.jump(Number(key)),
  },
  {
    name: "lock",
    keys: ["l"],
    shown: "L",
    label: () => t(control.isRunning ? "key.close" : "key.reopen"),
    isAvailable: () =>
      control.isRunning ||
      (control.shown?.status === "expired" && !control.shown.results_revealed && isActive(control)),
    act: () => (control.isRunning ? control.lock() : control.reopen()),
  },
  {
    name: "reset",
    keys: ["r"],
    shown: "R",
    label: () => t("key.reset"),
    danger: true,
    isAvailable: () => control.shown !== null && isActive(control),
    act: () => control.reset(),
  },
  {
    name: "undo",
    keys: ["Ctrl+z"],
    shown: "Ctrl Z",
    isAvailable: () => control.undo !== null,
    act: () => control.undo.act(),
  },
];

const showing = (control) => [
  {
    name: "results",
    keys: ["h"],
    shown: "H",
    label: () => t(control.shown.results_revealed ? "key.hide" : "key.show"),
    isOn: () => control.shown.results_revealed,
    isAvailable: () => control.shown?.results_visibility === "after_reveal",
    act: () => control.showResults(!control.shown.results_revealed),
  },
  {
    name: "correct",
    keys: ["c"],
    shown: "C",
    label: () => t("key.correct"),
    isOn: () => control.shown.secret_revealed,
    isAvailable: () => control.shown?.status === "expired" && (control.shown.secret ?? null) !== null,
    act: () => control.showSecret(!control.shown.secret_revealed),
  },
  overlay(control, "join", ["j"], "J"),
  overlay(control, "leaderboard", ["g"], "G"),
  overlay(control, "names", ["n"], "N"),
  overlay(control, "black", ["b", "."], "B ."),
];

const overlay = (control, name, keys, shown) => ({
  name,
  keys,
  shown,
  label: () => t(`key.${name}`),
  isOn: () => control.session.overlay === name,
  isAvailable: () => true,
  act: () => control.toggleOverlay(name),
});

const timing = (control) => [
  {
    name: "timer",
    keys: ["t"],
    shown: "T",
    label: () => t("key.timer"),
    isAvailable: () => control.isRunning && !control.shown.ends_at,
    act: () => control.startTimer(),
  },
  {
    name: "again",
    keys: ["Shift+t"],
    shown: "⇧ T",
    label: () => t("key.again"),
    isAvailable: () => control.isRunning && Boolean(control.shown.ends_at),
    act: () => control.startTimer(),
  },
  {
    name: "more",
    keys: ["+"],
    shown: "+",
    label: () => t("key.more", { n: MORE_S }),
    isAvailable: () => control.isRunning && Boolean(control.shown.ends_at),
    act: () => control.more(),
  },
];

const always = (control, page) => [
  {
    name: "full",
    keys: ["f"],
    shown: "F",
    label: () => t("key.full"),
    isAvailable: () => document.fullscreenEnabled,
    act: fullScreen,
  },
  {
    name: "leave",
    keys: ["Escape"],
    shown: "Esc",
    isAvailable: () => Boolean(control.session?.overlay) && !control.isOffline,
    act: () => control.toggleOverlay(control.session.overlay),
  },
  { name: "help", keys: ["?"], shown: "?", isAvailable: () => true, act: page.help },
];

export function fullScreen() {
  const change = document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
  change.catch(() => null); // the browser may refuse, for example without a click
}

const AS_STEP = { lock: "lock", reveal: "results" };

// Draws buttons of the available commands, except the command of the large button: the current step.
export function drawButtons(commands, step) {
  return commands
    .filter((each) => each.label && each.isAvailable() && each.name !== AS_STEP[step])
    .map((each) =>
      h(
        "button",
        {
          type: "button",
          key: each.name,
          onclick: () => each.act(),
          class: each.danger ? "danger" : null,
          "data-command": each.name,
          "aria-pressed": each.isOn ? String(each.isOn()) : null,
          title: each.shown,
        },
        each.label(),
      ),
    );
}

// Draws the keys of the available commands.
export function drawKeys(commands) {
  return h(
    "dl",
    { class: "keys" },
    commands
      .filter((each) => each.isAvailable())
      .map((each) =>
        h(
          "div",
          { key: each.name, class: "row" },
          h("dt", {}, h("kbd", {}, each.shown)),
          h("dd", {}, t(`key.help.${each.name}`)),
        ),
      ),
  );
}
