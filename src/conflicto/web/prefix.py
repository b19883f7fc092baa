"""Our own files in a server that lies below a path."""

from __future__ import annotations

ROOT = "~/"
"""Beginning of the path of a page or of the API in our modules, style sheets and templates."""


def add_prefix(text: str, prefix: str) -> str:
    """Return one of our own files with its paths below the prefix."""
    return text.replace(ROOT, f"{prefix}/")
