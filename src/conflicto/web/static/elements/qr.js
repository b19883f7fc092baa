// Text as a QR code (ISO/IEC 18004, byte mode, level M). It is drawn in the browser, because links hold secrets.

import { h } from "../core/dom.js";

const BORDER = 4;
const CHECKS = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26]; // codewords of each block, by version
const BLOCKS = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16];
const MASKS = [
  (x, y) => (x + y) % 2,
  (x, y) => y % 2,
  (x) => x % 3,
  (x, y) => (x + y) % 3,
  (x, y) => (((x / 3) | 0) + ((y / 2) | 0)) % 2,
  (x, y) => ((x * y) % 2) + ((x * y) % 3),
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2,
];

let last = {}; // the last code: a screen draws the same one every second

export function drawCode(text, label) {
  if (last.text !== text) last = { text, ...outlineOf(codeOf(text)) };
  const { size, path } = last;
  return h(
    "svg",
    { class: "qr", viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": label, "shape-rendering": "crispEdges" },
    h("path", { d: `M0 0h${size}v${size}h-${size}z`, fill: "#fff" }),
    h("path", { d: path, fill: "#000" }),
  );
}

function outlineOf(grid) {
  const path = grid
    .flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + BORDER} ${y + BORDER}h1v1h-1z` : "")))
    .join("");
  return { size: grid.length + 2 * BORDER, path };
}

// Returns rows of modules, true for dark ones. A text has at most 666 bytes, the capacity of version 20.
export function codeOf(text) {
  const bytes = [...new TextEncoder().encode(text)];
  const version = CHECKS.findIndex((_, at) => bytes.length + (at < 9 ? 2 : 3) <= room(at + 1)) + 1;
  if (!version) throw new RangeError("too long for a code");
  const words = interleaved(packed(bytes, version), version);
  const drawn = MASKS.map((mask, nth) => painted(version, words, mask, nth));
  return drawn.reduce((best, each) => (roughness(each) < roughness(best) ? each : best));
}

const sizeOf = (version) => 17 + 4 * version;

function capacity(version) {
  const marks = version < 2 ? 0 : ((version / 7) | 0) + 2;
  const modules =
    (16 * version + 128) * version + 64 - (marks && (25 * marks - 10) * marks - 55) - (version < 7 ? 0 : 36);
  return modules >> 3;
}

const room = (version) => capacity(version) - CHECKS[version - 1] * BLOCKS[version - 1];

// Returns the data codewords: mode, length, bytes, terminator and padding.
function packed(bytes, version) {
  const bits = [0, 1, 0, 0];
  const put = (value, length) => {
    for (let at = length - 1; at >= 0; at -= 1) bits.push((value >> at) & 1);
  };
  put(bytes.length, version < 10 ? 8 : 16);
  for (const byte of bytes) put(byte, 8);
  put(0, Math.min(4, room(version) * 8 - bits.length));
  put(0, -bits.length & 7);
  for (let filling = 0xec; bits.length < room(version) * 8; filling ^= 0xec ^ 0x11) put(filling, 8);
  return Array.from({ length: bits.length / 8 }, (_, at) =>
    bits.slice(at * 8, at * 8 + 8).reduce((all, bit) => all * 2 + bit, 0),
  );
}

function times(a, b) {
  let product = 0;
  for (let at = 7; at >= 0; at -= 1) product = (product << 1) ^ ((product >> 7) * 0x11d) ^ (((b >> at) & 1) * a);
  return product;
}

// Returns the Reed–Solomon remainder, with which readers correct errors.
function checksOf(words, count) {
  let divisor = [...Array(count - 1).fill(0), 1];
  for (let nth = 0, root = 1; nth < count; nth += 1, root = times(root, 2))
    divisor = divisor.map((each, at) => times(each, root) ^ (divisor[at + 1] ?? 0));
  let rest = Array(count).fill(0);
  for (const word of words) {
    const factor = word ^ rest[0];
    rest = [...rest.slice(1), 0].map((each, at) => each ^ times(divisor[at], factor));
  }
  return rest;
}

function interleaved(words, version) {
  const count = BLOCKS[version - 1];
  const short = Math.floor(words.length / count);
  const shorts = count - (words.length % count);
  const blocks = Array.from({ length: count }, (_, nth) =>
    words.slice(nth * short + Math.max(0, nth - shorts), (nth + 1) * short + Math.max(0, nth + 1 - shorts)),
  );
  const checks = blocks.map((block) => checksOf(block, CHECKS[version - 1]));
  const across = (rows) =>
    Array.from({ length: Math.max(...rows.map((row) => row.length)) }, (_, at) => rows.map((row) => row[at])).flat();
  return [...across(blocks), ...across(checks)].filter((each) => each !== undefined);
}

function painted(version, words, mask, nth) {
  const size = sizeOf(version);
  const grid = Array.from({ length: size }, () => Array(size).fill(null));
  marks(grid, version);
  notes(grid, version, nth);
  let at = 0;
  for (const [x, y] of snake(size)) {
    if (grid[y][x] !== null) continue;
    const bit = (words[at >> 3] >> (7 - (at & 7))) & 1;
    grid[y][x] = Boolean(bit) !== (mask(x, y) === 0);
    at += 1;
  }
  return grid;
}

// Fills pairs of columns from the right, up and down in turn, without the column of the timing pattern.
function* snake(size) {
  for (let right = size - 1, up = true; right > 0; right -= 2, up = !up) {
    if (right === 6) right = 5;
    for (let step = 0; step < size; step += 1)
      for (const x of [right, right - 1]) yield [x, up ? size - 1 - step : step];
  }
}

function marks(grid, version) {
  const size = grid.length;
  const square = (cx, cy, reach, isDark) => {
    for (let y = Math.max(0, cy - reach); y <= Math.min(size - 1, cy + reach); y += 1) {
      for (let x = Math.max(0, cx - reach); x <= Math.min(size - 1, cx + reach); x += 1)
        grid[y][x] = isDark(Math.max(Math.abs(x - cx), Math.abs(y - cy)));
    }
  };
  for (const [x, y] of [
    [3, 3],
    [size - 4, 3],
    [3, size - 4],
  ])
    square(x, y, 4, (far) => far !== 2 && far !== 4);
  const places = alignments(version, size);
  for (const y of places) for (const x of places) if (grid[y][x] === null) square(x, y, 2, (far) => far !== 1);
  for (let at = 8; at < size - 8; at += 1) grid[6][at] = grid[at][6] = at % 2 === 0;
}

function alignments(version, size) {
  if (version === 1) return [];
  const count = ((version / 7) | 0) + 2;
  const step = Math.ceil((version * 4 + 4) / (count * 2 - 2)) * 2;
  return [6, ...Array.from({ length: count - 1 }, (_, at) => size - 7 - at * step).reverse()];
}

// Writes level and mask twice, and the version of large codes, each with check bits.
function notes(grid, version, nth) {
  const size = grid.length;
  const format = checked(nth, 10, 0x537) ^ 0x5412; // level M is 00
  for (let at = 0; at < 15; at += 1) {
    const dark = Boolean((format >> at) & 1);
    const down = at < 6 ? at : at < 8 ? at + 1 : size - 15 + at;
    const left = at < 8 ? size - 1 - at : at < 9 ? 7 : 14 - at;
    grid[down][8] = dark;
    grid[8][left] = dark;
  }
  grid[size - 8][8] = true;
  if (version < 7) return;
  const told = checked(version, 12, 0x1f25);
  for (let at = 0; at < 18; at += 1)
    grid[(at / 3) | 0][size - 11 + (at % 3)] = grid[size - 11 + (at % 3)][(at / 3) | 0] = Boolean((told >> at) & 1);
}

function checked(value, length, by) {
  let rest = value;
  for (let at = 0; at < length; at += 1) rest = (rest << 1) ^ ((rest >> (length - 1)) * by);
  return (value << length) | rest;
}

// Returns the number of modules that equal their neighbours, which readers prefer to be small.
function roughness(grid) {
  let found = 0;
  for (let y = 1; y < grid.length; y += 1) {
    for (let x = 1; x < grid.length; x += 1) {
      if (grid[y][x] === grid[y - 1][x] && grid[y][x] === grid[y][x - 1] && grid[y][x] === grid[y - 1][x - 1])
        found += 1;
    }
  }
  return found;
}
