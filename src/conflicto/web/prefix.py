"""Our own files in a server that lies below a path."""

from __future__ import annotations

ROOT = "~/"
"""How our modules, style sheets and templates begin the path of a page or of the API."""


def with_prefix(text: str, prefix: str) -> str:
    """Return one of our own files with its paths below the prefix."""
    return text.replace(ROOT, f"{prefix}/")
