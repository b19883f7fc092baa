// The appearance of a frame, as the page around it sends it.

const root = document.documentElement;

export function applyAppearance({ lang, dir, theme, size, font, stage }) {
  Object.assign(root, { lang, dir });
  Object.assign(root.dataset, { theme, size });
  root.style.fontSize = font;
  if (stage) showOnStage(...stage);
  else document.querySelector("main").className = "now";
}

// Measures in shares of the stage (`cqmin`) hold in a part of it as well: the body has the stage's size.
function showOnStage(width, height) {
  root.dataset.page = "screen";
  document.body.style.inlineSize = `${width}px`;
  document.body.style.blockSize = `${height}px`;
  document.querySelector("main").className = "stage";
}
