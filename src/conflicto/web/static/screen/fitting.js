// Options and bars as large as all of them fit: a hall reads the last row, and no room stays empty.

const SIZES = [4.8, 4.4, 4, 3.6, 3.2, 2.8, 2.5, 2.2]; // hundredths of the stage's shorter side

// Measures only where something changed that takes room: labels, pictures that came, what stands beside, the window; never for a count.
export function fit(stage) {
  const list = stage.querySelector(".options, .results .bars");
  if (!list) return;
  const labels = [...list.querySelectorAll("li, th")].map((each) => each.textContent);
  const pictures = [...list.querySelectorAll("img")].filter(({ complete }) => complete).length;
  const now = JSON.stringify([innerWidth, innerHeight, pictures, stage.querySelector(".ranks") !== null, labels]);
  if (list.fitted === now) return;
  list.fitted = now;
  const room = list.closest(".results") ?? list;
  for (const size of SIZES) {
    list.style.setProperty("--size", size);
    if (room.scrollHeight <= room.clientHeight) return;
  }
}
