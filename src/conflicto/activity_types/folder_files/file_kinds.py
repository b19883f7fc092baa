"""Kinds of files that a type's folder can use, and a pack of it holds."""

from __future__ import annotations

SUFFIXES = frozenset({".json", ".js", ".css", ".md", ".txt", ".svg", ".png", ".jpg", ".jpeg", ".webp", ".gif"})
PLAIN_NAMES = frozenset({"LICENSE", "NOTICE", "COPYING"})
"""Names without a suffix that a pack may hold."""


def is_packable(path: str) -> bool:
    """Return whether a pack may hold a file of this kind.

    >>> [is_packable(name) for name in ("ui/screen.js", "LICENSE", "setup.py")]
    [True, True, False]
    """
    name = path.rpartition("/")[2]
    return name in PLAIN_NAMES or f".{name.rpartition('.')[2].lower()}" in SUFFIXES
