"""Registry of a server's activity types, found by entry points and in configured folders."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conflicto.activity_types.errors import InvalidActivityType, TypeUnavailable
from conflicto.activity_types.loader import MANIFEST_FILE, load_type
from conflicto.platform.problems import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflicto.activity_types.model import ActivityType

GROUP = "conflicto.activity_types"
"""Entry point group. Each entry names a callable that returns a folder, or a package."""


UNRECORDED = "unknown"
"""Version of activities from before versions were stored: the oldest registered one, if any."""


class Registry:
    """The types in the order of their manifests, each in one or more versions."""

    def __init__(self, types: Iterable[ActivityType]) -> None:
        self._versions: dict[str, dict[str, ActivityType]] = {}
        for each in sorted(types, key=lambda each: version_key(each.version), reverse=True):
            versions = self._versions.setdefault(each.name, {})
            if each.version in versions:
                raise InvalidActivityType(
                    f"{each.folder.name}/{MANIFEST_FILE}", "/version", "another folder has registered this version already"
                )
            versions[each.version] = each
        newest = [next(iter(versions.values())) for versions in self._versions.values()]
        self._newest = {each.name: each for each in sorted(newest, key=lambda each: (each.order, each.name))}

    def find(self, name: str) -> ActivityType | None:
        """Return the newest version of a type, None if the name is not registered."""
        return self._newest.get(name)

    def find_version(self, name: str, version: str | None) -> ActivityType | None:
        """Return the type of an activity by its stored version; None as in `is_unavailable`."""
        versions = self._versions.get(name)
        if versions is None or version is None:
            return None
        return next(reversed(versions.values())) if version == UNRECORDED else versions.get(version)

    def is_unavailable(self, name: str, version: str | None) -> bool:
        """Return whether an activity's type was registered, but not in this version here.

        Without a type and not unavailable, an activity is opaque: it accepts any JSON.
        """
        return version not in {None, UNRECORDED} and self.find_version(name, version) is None

    def unavailable(self, name: str, version: str | None) -> TypeUnavailable:
        """Return the problem of an activity that cannot be checked."""
        versions, found = self.versions(name), self.find_version(name, version)
        if found is not None:
            fault = f"The activity's config does not fit version {found.version} of {name}"
        else:
            known = f"only version {', '.join(versions)}" if versions else "no version at all"
            fault = f"The activity needs version {version} of {name}, and this server has {known}"
        return TypeUnavailable(
            f"{fault}. Everything is kept. Ask the operator to install that version or to run `conflicto types upgrade`.",
            extensions={"type": name, "type_version": version, "versions": versions},
        )

    def versions(self, name: str) -> list[str]:
        """Return the versions of a type, newest first; empty if it is not registered."""
        return list(self._versions.get(name, ()))

    def get(self, name: str, version: str | None = None) -> ActivityType:
        """Return a type in a version, the newest one if None.

        Raises:
            NotFound: no type has this name and version.
        """
        found = self.find(name) if version is None else self._versions.get(name, {}).get(version)
        if found is None:
            raise NotFound
        return found

    def all(self) -> list[ActivityType]:
        """Return the newest version of every type."""
        return list(self._newest.values())

    def every_version(self) -> list[ActivityType]:
        """Return every version of every type; the newest of each type first."""
        return [each for name in self._newest for each in self._versions[name].values()]


def version_key(version: str) -> tuple[int, ...]:
    """Return a key that orders versions by their numbers; missing numbers are 0.

    >>> max("2", "1.10", "1.9", key=version_key)
    '2'
    """
    numbers = [int(each) for each in version.split(".")]
    return (*numbers, *[0] * (3 - len(numbers)))


def load_registry(folders: Iterable[Path] = ()) -> Registry:
    """Return the types of all installed packages and of `folders`.

    Raises:
        InvalidActivityType: a folder holds no valid type, or two types share a name.
    """
    return Registry([*installed_types(), *(each for folder in folders for each in types_in(folder))])


@cache
def installed_types() -> tuple[ActivityType, ...]:
    """Return the types of all installed packages; cached, as packages do not change at run time."""
    return tuple(each for entry in entry_points(group=GROUP) for each in types_in(folder_of(entry.load())))


def types_in(folder: Path) -> list[ActivityType]:
    """Return the type in a folder, or all types in its direct subfolders.

    Raises:
        InvalidActivityType: there is no type, or one is invalid.
    """
    if (folder / MANIFEST_FILE).is_file():
        return [load_type(folder.resolve())]
    found = [load_type(file.parent.resolve()) for file in sorted(folder.glob(f"*/{MANIFEST_FILE}"))]
    if not found:
        raise InvalidActivityType(f"{folder.name}/{MANIFEST_FILE}", "", "there is no activity type in this folder")
    return found


def folder_of(source: Any) -> Path:  # noqa: ANN401 - whatever an entry point names
    """Return the folder of an entry point's object."""
    return Path(source()) if callable(source) else Path(source.__file__).parent
