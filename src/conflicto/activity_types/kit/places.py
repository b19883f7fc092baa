"""Faults that the kit finds, with file and line as the loader's have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.activity_types.errors import TypeFault
from conflicto.activity_types.folder_files.json_lines import line_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from conflicto.activity_types.model import ActivityType

EXAMPLES = "examples"
README = "README.md"


def fault_at(activity_type: ActivityType, file: str, message: str, remedy: str, pointer: str = "", line: int | None = None) -> str:
    """Return a fault of a type's file as a sentence; the pointer gives the line of a JSON file."""
    path = activity_type.folder / file
    if line is None and path.suffix == ".json" and path.is_file():
        line = line_at(path.read_text(encoding="utf-8"), pointer)
    return str(TypeFault(f"{activity_type.name}/{file}", pointer, message, remedy, line))


def examples_of(activity_type: ActivityType) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the examples of a type with the names of their files, in the loader's order."""
    files = sorted(path.name for path in (activity_type.folder / EXAMPLES).glob("*.json"))
    yield from zip((f"{EXAMPLES}/{name}" for name in files), activity_type.examples, strict=True)


def text_of_readme(activity_type: ActivityType) -> str | None:
    """Return a type's README, None if it has none."""
    path = activity_type.folder / README
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
