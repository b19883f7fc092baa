"""Activity types: each is a folder of schemas, examples, texts and views, and the engine knows none of them by name.

Start at `model.py`, then `loading.py`, which turns a folder into a type. Ours are the folders beside these modules, found by the same
entry point as anybody's. `docs/activity-types.md` tells how to make one, `testing.py` tests it.
"""

from __future__ import annotations

from pathlib import Path


def folder() -> Path:
    """Return where the built-in types lie: the callable of their entry point."""
    return Path(__file__).parent
