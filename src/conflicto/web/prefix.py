"""Paths of own files on a server below a path prefix."""

from __future__ import annotations

ROOT = "~/"
"""Placeholder for the server's root in modules, style sheets and templates."""


def add_prefix(text: str, prefix: str) -> str:
    """Return an own file with its paths below the prefix."""
    return text.replace(ROOT, f"{prefix}/")
