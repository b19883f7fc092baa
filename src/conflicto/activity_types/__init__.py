"""Activity types: folders of schemas, examples, texts and views.

The engine knows no type by name. Start at `model.py`, then `loader.py`, which turns a folder into a
type. The built-in types are the folders beside these modules; the same entry point finds them as
finds those of other packages. `docs/activity-types.md` explains how to write one, `testing.py`
tests it.
"""

from __future__ import annotations

from pathlib import Path


def folder() -> Path:
    """Return the folder of the built-in types: the callable of their entry point."""
    return Path(__file__).parent
