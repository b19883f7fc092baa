"""Checks of a folder's files: older versions load, and nothing lies there that nothing reads."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from conflicto.activity_types.errors import InvalidActivityType
from conflicto.activity_types.folder_files.drawings import DRAWING_FILE
from conflicto.activity_types.folder_files.file_kinds import is_packable
from conflicto.activity_types.folder_files.schema_files import CONFIG_FILE, RESPONSE_FILE, SECRET_FILE
from conflicto.activity_types.folder_files.upgrade_files import UPGRADES
from conflicto.activity_types.folder_files.view_files import UI
from conflicto.activity_types.kit.places import EXAMPLES, fault_at
from conflicto.activity_types.loader import AGGREGATE_FILE, MANIFEST_FILE, REHEARSAL_FILE, VERSIONS, load_type

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conflicto.activity_types.model import ActivityType

FILES = (MANIFEST_FILE, CONFIG_FILE, RESPONSE_FILE, SECRET_FILE, AGGREGATE_FILE, DRAWING_FILE, REHEARSAL_FILE)
SUFFIXES = {EXAMPLES: ".json", "i18n": ".json", UI: ".js", UPGRADES: ".json"}
"""Subfolders with the suffix of the files that are read in them."""

FOR_PEOPLE = frozenset({".md", ".txt", ""})
"""Suffixes of files for people, such as README.md and LICENSE, which may lie beside the others."""


def files_are_read(activity_type: ActivityType) -> Iterator[str]:
    """Yield files that nothing reads, of kinds that a pack would hold.

    Hidden files, and files of other kinds, are the author's own: `conflicto types pack` names them.
    """
    for path in sorted(activity_type.folder.iterdir()):
        if path.name.startswith(".") or path.name in {VERSIONS, "__pycache__"}:
            continue
        if path.is_dir() and path.name in SUFFIXES:
            yield from _folder_faults(activity_type, path)
        elif path.is_dir() or (path.name not in FILES and path.suffix not in FOR_PEOPLE and is_packable(path.name)):
            known = tuple(SUFFIXES) if path.is_dir() else FILES
            yield fault_at(activity_type, path.name, "is read by nothing", _remedy(path.name, known))


def _folder_faults(activity_type: ActivityType, folder: Path) -> Iterator[str]:
    suffix = SUFFIXES[folder.name]
    for path in sorted(folder.iterdir()):
        if not path.name.startswith(".") and (path.is_dir() or (path.suffix != suffix and is_packable(path.name))):
            remedy = f"Only files with {suffix} are read here. Rename it, or remove it."
            yield fault_at(activity_type, f"{folder.name}/{path.name}", "is read by nothing", remedy)


def versions_load(activity_type: ActivityType) -> Iterator[str]:
    """Yield the faults of the folders of older versions, which a server reads with the type."""
    for folder in sorted((activity_type.folder / VERSIONS).glob("*")):
        if folder.name.startswith("."):
            continue
        try:
            load_type(folder, name=activity_type.name)
        except InvalidActivityType as error:
            yield from map(str, error.faults)


def _remedy(name: str, known: tuple[str, ...]) -> str:
    similar = get_close_matches(name, known, n=1)
    return f"Rename it to {similar[0]}, or remove it." if similar else f"Remove it. Names that are read: {', '.join(known)}."
