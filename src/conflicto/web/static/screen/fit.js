// Fits options, bars and ranks to the screen at the largest possible size. Rows without space are counted.

import { t } from "../core/i18n.js";

const SIZES = [4.8, 4.4, 4, 3.6, 3.2, 2.8, 2.5, 2.2]; // hundredths of the shorter side of the screen
const LARGE = [8, 7, 6, ...SIZES, 1.9, 1.6]; // for a single text
const BESIDE = SIZES.filter((size) => size <= 3.2); // for ranks beside results

export function fit(stage) {
  for (const list of stage.querySelectorAll(".options, .results .bars")) {
    const room = list.closest(".results") ?? list;
    place(list, SIZES, () => room.scrollHeight <= room.clientHeight);
  }
  for (const large of stage.querySelectorAll(".focus"))
    grow(large, LARGE, () => large.scrollHeight <= large.clientHeight);
  for (const ranks of stage.querySelectorAll(".display > .ranks"))
    place(ranks, BESIDE, () => ranks.offsetHeight <= ranks.parentElement.clientHeight);
  for (const ranks of stage.querySelectorAll(".cover .ranks"))
    place(ranks, SIZES, () => ranks.parentElement.scrollHeight <= ranks.parentElement.clientHeight);
  for (const list of stage.querySelectorAll(".names, .notes, .question-list")) countOutside(list);
}

const rowsOf = (list) => [...list.querySelectorAll(":scope > li, :scope > tbody > tr")];
const moreOf = (list) => list.querySelector(":scope > tfoot td") ?? list.parentElement.querySelector(":scope > .more");

// Hides the rows of least weight if the smallest size does not fit. Correct rows and the longest bar stay.
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

// Counts the rows outside of a list. A second turn includes the line with that count.
function countOutside(list) {
  for (let turn = 0; turn < 2; turn += 1) {
    const box = list.getBoundingClientRect();
    const isOutside = ({ left, right, bottom }) =>
      bottom > box.bottom + 1 || right > box.right + 1 || left < box.left - 1;
    showHiddenCount(list, rowsOf(list).filter((row) => isOutside(row.getBoundingClientRect())).length);
  }
}

// Sets the largest size that fits. It measures only after a change of texts, images, neighbours or window, not of counts.
function grow(list, sizes, fits) {
  const words = list.matches(".focus")
    ? [list.textContent]
    : [...list.querySelectorAll("li, th, td:nth-child(2)")].map((each) => each.textContent);
  const pictures = [...list.querySelectorAll("img")].filter(({ complete }) => complete).length;
  const now = JSON.stringify([
    innerWidth,
    innerHeight,
    pictures,
    list.closest(".display")?.querySelector(".ranks") !== null,
    words,
  ]);
  if (list.fitted === now) return false;
  list.fitted = now;
  if (!list.matches(".focus")) show(list, Infinity);
  for (const size of sizes) {
    list.style.setProperty("--size", size);
    if (fits()) break;
  }
  return true;
}
