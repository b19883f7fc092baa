// The layout of a word cloud. Sizes depend on the order of counts alone, so that a cloud moves only when the order changes.

const FONT = "700 {}px system-ui, sans-serif";
const LARGEST = 4.2; // times the smallest
const SMALLEST = 26;
const MAX_TRIES = 14;
const context = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
/** @type {Map<string, Placed[]>} */
const known = new Map();

/** @typedef {{ word: string, size: number, x: number | null, y: number | null }} Placed */
/** @typedef {{ word: string, weight: number }} Weighted */
/** @typedef {{ w: number, h: number }} Box */
/** @typedef {{ x: number, y: number }} Place */

/**
 * Returns the place of every word that fits into a box with the centre 0, 0.
 *
 * @param {Array<{ word: string, count: number }>} words
 * @param {number} width
 * @param {number} height
 */
export function layout(words, width, height) {
  const sorted = [...words].sort((a, b) => b.count - a.count || (a.word < b.word ? -1 : 1));
  const steps = [...new Set(sorted.map(({ count }) => count))];
  const ordered = sorted.map(({ word, count }) => ({
    word,
    weight: steps.length > 1 ? 1 - steps.indexOf(count) / (steps.length - 1) : 0.5,
  }));
  const key = JSON.stringify([width, height, ordered]);
  if (!known.has(key)) {
    if (known.size > 20) known.clear();
    known.set(key, fitAll(ordered, width, height));
  }
  return (known.get(key) ?? [])
    .map((each, index) => ({ ...each, count: sorted[index].count }))
    .filter((each) => each.x !== null && each.y !== null)
    .map((each) => /** @type {typeof each & Place} */ (each));
}

/**
 * Returns the layout at the largest scale that fits all words.
 *
 * @param {Weighted[]} words
 * @param {number} width
 * @param {number} height
 */
function fitAll(words, width, height) {
  for (let scale = 2.2, turn = 0; ; scale *= 0.84, turn += 1) {
    const found = attempt(words, width, height, scale);
    if (turn === MAX_TRIES || found.every(({ x }) => x !== null)) return found;
  }
}

/**
 * @param {Weighted[]} words
 * @param {number} width
 * @param {number} height
 * @param {number} scale
 * @returns {Placed[]}
 */
function attempt(words, width, height, scale) {
  /** @type {Array<Place & Box>} */
  const taken = [];
  return words.map(({ word, weight }) => {
    const size = SMALLEST * scale * (1 + weight * (LARGEST - 1));
    context.font = FONT.replace("{}", String(size));
    const box = { w: context.measureText(word).width + size * 0.35, h: size * 1.12 };
    const place = free(box, taken, width, height);
    if (place) taken.push({ ...place, ...box });
    return { word, size, x: place?.x ?? null, y: place?.y ?? null };
  });
}

/**
 * Returns the first free place on a spiral from the centre, or null.
 *
 * @param {Box} box
 * @param {Array<Place & Box>} taken
 * @param {number} width
 * @param {number} height
 */
function free({ w, h }, taken, width, height) {
  const [wide, high] = [(width - w) / 2, (height - h) / 2];
  if (wide < 0 || high < 0) return null;
  for (let turn = 0; turn < 70; turn += 0.18) {
    const [x, y] = [(Math.cos(turn) * turn * wide) / 70, (Math.sin(turn) * turn * high) / 70];
    if (!taken.some((other) => Math.abs(other.x - x) * 2 < other.w + w && Math.abs(other.y - y) * 2 < other.h + h))
      return { x, y };
  }
  return null;
}
