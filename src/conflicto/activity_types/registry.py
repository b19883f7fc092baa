"""All activity types of one server. Built-in ones and those of others enter by the same doors: entry points and folders."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conflicto.activity_types.errors import InvalidActivityType
from conflicto.activity_types.loader import MANIFEST_FILE, load_type
from conflicto.platform.problems import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflicto.activity_types.model import ActivityType

GROUP = "conflicto.activity_types"
"""The entry point group. Each entry names a callable that returns a folder, or a package whose folder is meant."""


class Registry:
    """The types by name, in the order of their manifests."""

    def __init__(self, types: Iterable[ActivityType]) -> None:
        self._types: dict[str, ActivityType] = {}
        for each in sorted(types, key=lambda each: (each.order, each.name)):
            if each.name in self._types:
                raise InvalidActivityType(
                    f"{each.folder.name}/{MANIFEST_FILE}", "/type", "another folder has registered this type already"
                )
            self._types[each.name] = each

    def find(self, name: str) -> ActivityType | None:
        """Return a type, or None if the name is nobody's: its activities stay opaque JSON."""
        return self._types.get(name)

    def get(self, name: str) -> ActivityType:
        """Return a type.

        Raises:
            NotFound: there is none of this name.
        """
        found = self._types.get(name)
        if found is None:
            raise NotFound
        return found

    def all(self) -> list[ActivityType]:
        """Return every type."""
        return list(self._types.values())


def load_registry(folders: Iterable[Path] = ()) -> Registry:
    """Return the types of all installed packages and of `folders`.

    Raises:
        TypeRefused: a folder holds no sound type, or a name is taken twice.
    """
    return Registry([*installed_types(), *(each for folder in folders for each in types_in(folder))])


@cache
def installed_types() -> tuple[ActivityType, ...]:
    """Return the types of all installed packages, ours included; packages do not change while a process runs."""
    return tuple(each for entry in entry_points(group=GROUP) for each in types_in(folder_of(entry.load())))


def types_in(folder: Path) -> list[ActivityType]:
    """Return the type that lies in a folder, or all types in the folders right below it.

    Raises:
        TypeRefused: there is none, or one is not sound.
    """
    if (folder / MANIFEST_FILE).is_file():
        return [load_type(folder.resolve())]
    found = [load_type(file.parent.resolve()) for file in sorted(folder.glob(f"*/{MANIFEST_FILE}"))]
    if not found:
        raise InvalidActivityType(f"{folder.name}/{MANIFEST_FILE}", "", "there is no activity type in this folder")
    return found


def folder_of(named: Any) -> Path:  # noqa: ANN401 - whatever an entry point names
    """Return the folder that an entry point means."""
    return Path(named()) if callable(named) else Path(named.__file__).parent
