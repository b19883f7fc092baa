// Options, bars and ranks as large as all of them fit: a hall reads the last row, and no room stays empty.

const SIZES = [4.8, 4.4, 4, 3.6, 3.2, 2.8, 2.5, 2.2]; // hundredths of the shorter side of the stage
const LARGE = [8, 7, 6, ...SIZES]; // what stands alone
const BESIDE = SIZES.filter((size) => size <= 3.2); // what stands beside results may not take their room

export function fit(stage) {
  for (const list of stage.querySelectorAll(".options, .results .bars")) {
    const room = list.closest(".results") ?? list;
    grow(list, SIZES, () => room.scrollHeight <= room.clientHeight);
  }
  for (const large of stage.querySelectorAll(".focus")) grow(large, LARGE, () => large.scrollHeight <= large.clientHeight);
  for (const ranks of stage.querySelectorAll(".shows > .ranks")) grow(ranks, BESIDE, () => ranks.offsetHeight <= ranks.parentElement.clientHeight);
}

// Measures only where something changed that takes room: words, pictures that came, what stands beside, the window; never for a count.
function grow(list, sizes, fits) {
  const words = list.matches(".focus") ? [list.textContent] : [...list.querySelectorAll("li, th, td:nth-child(2)")].map((each) => each.textContent);
  const pictures = [...list.querySelectorAll("img")].filter(({ complete }) => complete).length;
  const now = JSON.stringify([innerWidth, innerHeight, pictures, list.closest(".shows")?.querySelector(".ranks") !== null, words]);
  if (list.fitted === now) return;
  list.fitted = now;
  for (const size of sizes) {
    list.style.setProperty("--size", size);
    if (fits()) return;
  }
}
