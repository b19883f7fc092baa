// Options, bars and ranks as large as all of them fit: a hall reads the last row, and no room stays empty. What finds no room is counted.

import { t } from "../core/i18n.js";

const SIZES = [4.8, 4.4, 4, 3.6, 3.2, 2.8, 2.5, 2.2]; // hundredths of the shorter side of the stage
const LARGE = [8, 7, 6, ...SIZES, 1.9, 1.6]; // what stands alone
const BESIDE = SIZES.filter((size) => size <= 3.2); // what stands beside results may not take their room

export function fit(stage) {
  for (const list of stage.querySelectorAll(".options, .results .bars")) {
    const room = list.closest(".results") ?? list;
    place(list, SIZES, () => room.scrollHeight <= room.clientHeight);
  }
  for (const large of stage.querySelectorAll(".focus")) grow(large, LARGE, () => large.scrollHeight <= large.clientHeight);
  for (const ranks of stage.querySelectorAll(".shows > .ranks")) place(ranks, BESIDE, () => ranks.offsetHeight <= ranks.parentElement.clientHeight);
  for (const ranks of stage.querySelectorAll(".cover .ranks")) place(ranks, SIZES, () => ranks.parentElement.scrollHeight <= ranks.parentElement.clientHeight);
  for (const list of stage.querySelectorAll(".names, .notes, .asked")) countOutside(list);
}

const rowsOf = (list) => [...list.querySelectorAll(":scope > li, :scope > tbody > tr")];
const moreOf = (list) => list.querySelector(":scope > tfoot td") ?? list.parentElement.querySelector(":scope > .more");

// Where not even the smallest size is small enough, the lightest rows give way: never the longest bar, nor what is right.
function place(list, sizes, fits) {
  if (grow(list, sizes, fits)) {
    list.room = rowsOf(list).length;
    while (list.room > 1 && !fits()) show(list, (list.room -= 1));
  }
  show(list, list.room);
}

function show(list, most) {
  const rows = rowsOf(list);
  const weight = ({ dataset }) => Number(dataset.weight ?? 0);
  const kept = new Set([...rows].sort((a, b) => weight(b) - weight(a)).slice(0, most));
  for (const row of rows) row.hidden = !kept.has(row);
  showHiddenCount(list, rows.length - kept.size);
}

function showHiddenCount(list, unseen) {
  const more = moreOf(list);
  const n = unseen + Number(more?.dataset.cut ?? 0);
  if (more && unseen) more.textContent = t("results.more", { n });
}

// What stands beyond the edge of a list that is cut there; the line that says so may itself take room.
function countOutside(list) {
  for (let turn = 0; turn < 2; turn += 1) {
    const box = list.getBoundingClientRect();
    const isOutside = ({ left, right, bottom }) => bottom > box.bottom + 1 || right > box.right + 1 || left < box.left - 1;
    showHiddenCount(list, rowsOf(list).filter((row) => isOutside(row.getBoundingClientRect())).length);
  }
}

// Measures only where something changed that takes room: words, pictures that came, what stands beside, the window; never for a count.
function grow(list, sizes, fits) {
  const words = list.matches(".focus") ? [list.textContent] : [...list.querySelectorAll("li, th, td:nth-child(2)")].map((each) => each.textContent);
  const pictures = [...list.querySelectorAll("img")].filter(({ complete }) => complete).length;
  const now = JSON.stringify([innerWidth, innerHeight, pictures, list.closest(".shows")?.querySelector(".ranks") !== null, words]);
  if (list.fitted === now) return false;
  list.fitted = now;
  if (!list.matches(".focus")) show(list, Infinity);
  for (const size of sizes) {
    list.style.setProperty("--size", size);
    if (fits()) break;
  }
  return true;
}
