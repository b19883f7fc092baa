"""Draw the packages in their import order (`docs/pictures/packages.svg`).

The layers come from import-linter's contract in `pyproject.toml`, and each text is the first
sentence of the package's docstring. `tools/generate_docs.py` writes the picture.
"""

from __future__ import annotations

import ast
import re
import textwrap
import tomllib
from dataclasses import dataclass
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "conflicto"
CONTRACT = "Packages have one order"

WIDTH, MARGIN, GAP, ARROW = 960, 16, 10, 44
"""Width of the picture, its margin, the gap between boxes, and the column of the arrow, in px."""

PADDING, NAME_PX, TEXT_PX, LEADING = 12, 15, 12, 16
"""Inset of a box, sizes of its two fonts and the height of a line, in px."""

CHAR_PX = 6.6
"""Upper bound of a character's mean width in the small font."""

STYLE = """\
text { font-family: system-ui, sans-serif; fill: #1c2733 }
.name { font-weight: 600; font-size: 15px }
.text { font-size: 12px; fill: #445261 }
rect { fill: #f4f7fa; stroke: #b8c4d0 }
path { stroke: #445261; fill: none }
@media (prefers-color-scheme: dark) {
  text { fill: #e8eef4 }
  .text { fill: #b4c0cc }
  rect { fill: #1d2732; stroke: #47545f }
  path { stroke: #b4c0cc }
}"""


@dataclass(frozen=True, slots=True)
class Box:
    """A package or module with the lines of its text."""

    name: str
    lines: tuple[str, ...]

    @property
    def height(self) -> int:
        return 2 * PADDING + NAME_PX + LEADING * len(self.lines)


def layers() -> list[list[str]]:
    """Return the names of each layer, the top first.

    Raises:
        StopIteration: no contract has the name.
    """
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = configuration["tool"]["importlinter"]["contracts"]
    contract = next(each for each in contracts if each["name"] == CONTRACT)
    named = [[name.strip(" ()") for name in layer.split("|")] for layer in contract["layers"]]
    return [names for names in named if names != ["__main__"]]


def first_sentence(name: str) -> str:
    """Return the first sentence of the docstring of a package or module, without its own name."""
    package = SOURCE / name
    file = package / "__init__.py" if package.is_dir() else package.with_suffix(".py")
    documentation = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    sentence = re.split(r"(?<=\.)\s|\n\n", documentation, maxsplit=1)[0]
    sentence = re.sub(r"\A(?:The )?[\w ]+: ", "", " ".join(sentence.split())).replace("`", "")
    return sentence[:1].upper() + sentence[1:]


def picture() -> str:
    """Return the SVG."""
    rows, top = [], MARGIN
    for names in layers():
        width = (WIDTH - 2 * MARGIN - ARROW - GAP * (len(names) - 1)) / len(names)
        boxes = [_box(name, width) for name in names]
        height = max(box.height for box in boxes)
        left: float = MARGIN + ARROW
        for box in boxes:
            rows.append(_drawn(box, left, top, width, height))
            left += width + GAP
        top += height + GAP
    bottom = top - GAP
    arrow = f'<path d="M{MARGIN + 16} {MARGIN}V{bottom}m-6 -9l6 9l6 -9"/>'
    middle = (MARGIN + bottom) // 2
    turned = f'text-anchor="middle" transform="rotate(-90 {MARGIN + 8} {middle})" x="{MARGIN + 8}" y="{middle}"'
    label = f'<text class="text" {turned}>imports</text>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + MARGIN}" role="img">'
    title = "<title>The packages of Conflicto. Each may import only those in rows below it.</title>"
    return "\n".join([head, title, f"<style>\n{STYLE}\n</style>", arrow, label, *rows, "</svg>", ""])


def _box(name: str, width: float) -> Box:
    fitting = int((width - 2 * PADDING) / CHAR_PX)
    return Box(name, tuple(textwrap.wrap(first_sentence(name), fitting)))


def _drawn(box: Box, left: float, top: int, width: float, height: int) -> str:
    x, y = left + PADDING, top + PADDING + NAME_PX
    texts = [f'<text class="name" x="{x:g}" y="{y}">{escape(box.name)}</text>']
    for row, line in enumerate(box.lines, 1):
        texts.append(f'<text class="text" x="{x:g}" y="{y + row * LEADING}">{escape(line)}</text>')
    rect = f'<rect x="{left:g}" y="{top}" width="{width:g}" height="{height}" rx="6"/>'
    return "\n".join([rect, *texts])
