"""Activity types: folders of schemas, examples, texts and views.

The engine knows no type by name. Start at `model.py`, then `loader.py`, which turns a folder into a
type. `folder_files` reads and checks the files of a folder, and `json_schema` holds the schemas
that they may use. `response_generator` invents answers for rehearsals. `kit` makes and tests types,
and `packs` installs them from files. The other folders are the built-in types; the same entry point
finds them as finds those of other packages. `docs/activity-types.md` explains how to write one.
"""

from __future__ import annotations

from pathlib import Path


def folder() -> Path:
    """Return the folder of the built-in types: the callable of their entry point."""
    return Path(__file__).parent
