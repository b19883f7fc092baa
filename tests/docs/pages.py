"""Pages of the documentation, and their text without code."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
CURRENT_PAGES = [page for page in PAGES if page.name != "renames.md"]
"""All pages but the map of renames, which lists names that are gone."""

DECISIONS = sorted(ROOT.glob("docs/decisions/*.md"))

_FENCES = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`[^`\n]*`")


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def unfenced(page: Path) -> str:
    return _FENCES.sub("", text(page))


def prose(page: Path) -> str:
    """Return a page without blocks and spans of code."""
    return _CODE.sub("", unfenced(page))
