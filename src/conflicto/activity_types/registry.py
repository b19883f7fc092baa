"""Registry of a server's activity types, found by entry points and in configured folders."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from conflicto.activity_types.errors import InvalidActivityType, TypeFault, TypeUnavailable
from conflicto.activity_types.folder_files.manifest import version_key
from conflicto.activity_types.loader import MANIFEST_FILE, VERSIONS, load_type
from conflicto.activity_types.origin import FOLDER, Origin, OriginKind
from conflicto.platform.problems import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflicto.activity_types.model import ActivityType

GROUP = "conflicto.activity_types"
"""Entry point group. Each entry names a callable that returns a folder, or a package."""

PROGRAM = "conflicto"
"""Package of the included types."""


class RejectedType(NamedTuple):
    """A folder, or an entry point, that was left out. `name` is that of the folder or entry."""

    name: str
    origin: Origin
    faults: tuple[TypeFault, ...]


class FoundTypes(NamedTuple):
    """The valid types of some folders, and what was left out."""

    types: tuple[ActivityType, ...]
    rejected: tuple[RejectedType, ...]


NO_TYPES = FoundTypes((), ())

MAX_SESSION_TYPES = 32
"""Types for one session in memory, each of a pack up to 256 KiB. The oldest is removed first."""

UNRECORDED = "unknown"
"""Version of activities from before versions were stored: the oldest registered one, if any."""


class Registry:
    """The types in the order of their manifests, each in one or more versions.

    `rejected` are the folders that were left out. No two types have one name and version.
    `recorded` are the names that stored activities have with a version. Types come and go only with
    a restart, so these are the ones that were registered before.
    """

    def __init__(self, types: Iterable[ActivityType], rejected: Iterable[RejectedType] = (), recorded: Iterable[str] = ()) -> None:
        self.rejected = tuple(rejected)
        self._left_out = frozenset(each.name for each in self.rejected)
        self._recorded = frozenset(recorded)
        self._of_sessions: dict[tuple[str, str], ActivityType] = {}
        self._versions: dict[str, dict[str, ActivityType]] = {}
        for each in sorted(types, key=lambda each: version_key(each.version), reverse=True):
            self._versions.setdefault(each.name, {})[each.version] = each
        newest = [next(iter(versions.values())) for versions in self._versions.values()]
        self._newest = {each.name: each for each in sorted(newest, key=lambda each: (each.order, each.name))}

    def with_recorded(self, names: Iterable[str]) -> Registry:
        """Return the same types with the names that stored activities have with a version."""
        return Registry(self.every_version(), self.rejected, names)

    def find(self, name: str) -> ActivityType | None:
        """Return the newest version of a type, None if the name is not registered."""
        return self._newest.get(name)

    def find_version(self, name: str, version: str | None) -> ActivityType | None:
        """Return the type of an activity by its stored version; None as in `is_unavailable`."""
        versions = self._versions.get(name)
        if versions is None or version is None:
            return None if version is None else self._of_sessions.get((name, version))
        if version == UNRECORDED:
            return next(reversed(versions.values()))
        return versions.get(version) or self._of_sessions.get((name, version))

    def add_session_type(self, added: ActivityType) -> None:
        """Add a type for one session, which `find_version` alone returns."""
        while len(self._of_sessions) >= MAX_SESSION_TYPES:
            self._of_sessions.pop(next(iter(self._of_sessions)), None)
        self._of_sessions[added.name, added.version] = added

    def is_unavailable(self, name: str, version: str | None) -> bool:
        """Return whether an activity's type was registered, but not in this version here.

        Without a type and not unavailable, an activity is opaque: it accepts any JSON.
        """
        if version is None or self.find_version(name, version) is not None:
            return False
        return version != UNRECORDED or self.is_missing(name)

    def is_missing(self, name: str) -> bool:
        """Return whether a type has no version here, but was left out or was registered before."""
        return name not in self._newest and (name in self._left_out or name in self._recorded)

    def unavailable(self, name: str, version: str | None) -> TypeUnavailable:
        """Return the problem of an activity that cannot be checked."""
        versions, found = self.versions(name), self.find_version(name, version)
        remedy = "Ask the operator to install that version or to run `conflicto types upgrade`."
        if found is not None:
            fault = f"The activity's config does not fit version {found.version} of {name}."
        elif versions:
            known = ", ".join(versions)
            fault = f"The activity needs version {version} of {name}, and this server has only version {known}."
        else:
            fault, remedy = self._why_missing(name), self._remedy(name)
        return TypeUnavailable(
            f"{fault} Everything is kept. {remedy}",
            extensions={"activity_type": name, "type_version": version, "versions": versions},
        )

    def missing(self, name: str) -> TypeUnavailable:
        """Return the problem of new JSON for a type as in `is_missing`."""
        return TypeUnavailable(
            f"{self._why_missing(name)} {self._remedy(name)} Or take another type.",
            extensions={"activity_type": name, "type_version": None, "versions": []},
        )

    def _why_missing(self, name: str) -> str:
        if name in self._left_out:
            return f"The activity type {name} was left out when the server started, because it has faults."
        return f"The activity type {name} is not registered on this server any more."

    def _remedy(self, name: str) -> str:
        if name in self._left_out:
            listed = "GET /api/v1/rejected-activity-types lists them for hosts"
            return f"{listed}. Ask the operator to correct them and to restart the server."
        return "Ask the operator to install it again and to restart the server."

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


def load_registry(folders: Iterable[Path] = (), packs: FoundTypes = NO_TYPES) -> Registry:
    """Return the valid types of all packages, of `folders` and of packs, without conflicts."""
    found = [installed(), packs, *(types_in(folder) for folder in folders)]
    types = {each.folder: each for part in found for each in part.types}
    kept, conflicts = _without_conflicts(types.values())
    return Registry(kept, [*(each for part in found for each in part.rejected), *conflicts])


def _without_conflicts(types: Iterable[ActivityType]) -> tuple[list[ActivityType], list[RejectedType]]:
    """Return the types without conflicts, and the others.

    No other type replaces an included one, or claims a newer version of it. Of other types with one
    name and version none is preferred, so all of them are left out.
    """
    found = list(types)
    included: dict[str, ActivityType] = {}
    for each in sorted(found, key=lambda each: version_key(each.version)):
        if each.origin.kind is OriginKind.INCLUDED:
            included[each.name] = each
    rivals: defaultdict[tuple[str, tuple[int, ...]], list[ActivityType]] = defaultdict(list)
    for each in found:
        rivals[each.name, version_key(each.version)].append(each)
    kept, rejected = [], []
    for each in found:
        ours, same = included.get(each.name), rivals[each.name, version_key(each.version)]
        replaces = ours is not None and version_key(each.version) >= version_key(ours.version)
        if each.origin.kind is OriginKind.INCLUDED or (len(same) == 1 and not replaces):
            kept.append(each)
        else:
            rejected.append(_conflict(each, [ours] if ours and replaces else same))
    return kept, rejected


def _conflict(one: ActivityType, rivals: list[ActivityType]) -> RejectedType:
    others = ", ".join(f"{each.folder} ({each.origin}, version {each.version})" for each in rivals if each is not one)
    message = f"{one.folder} (version {one.version}) conflicts with {others}"
    remedy = "Give one of them another name or an own version, or remove it."
    return RejectedType(one.name, one.origin, (TypeFault(f"{one.folder.name}/{MANIFEST_FILE}", "/type", message, remedy),))


@cache
def installed() -> FoundTypes:
    """Return what installed packages offer; cached, as packages do not change at run time."""
    return _join(_types_of(entry) for entry in entry_points(group=GROUP))


def _types_of(entry: EntryPoint) -> FoundTypes:
    package = entry.dist.name if entry.dist else ""
    is_included = package == PROGRAM
    origin = (
        Origin(OriginKind.INCLUDED)
        if is_included
        else Origin(OriginKind.PACKAGE, f"{package} {entry.dist.version}" if entry.dist else "")
    )
    try:
        folder = folder_of(entry.load())
    except Exception as error:  # noqa: BLE001 - code of other packages may raise anything
        message = f"the entry point {entry.value} cannot be used ({type(error).__name__}: {error})"
        fault = TypeFault(f"package {package}", "", message, "Update the package, or remove it.")
        return FoundTypes((), (RejectedType(entry.name, origin, (fault,)),))
    return types_in(folder, origin)


def types_in(folder: Path, origin: Origin = FOLDER) -> FoundTypes:
    """Return the type in a folder, or all types in its direct subfolders."""
    try:
        return _types_in(folder, origin)
    except OSError as error:
        fault = TypeFault(str(folder), "", f"cannot be read ({error.strerror})", "Make the folder readable for this user.")
        return FoundTypes((), (RejectedType(folder.name, origin, (fault,)),))


def _types_in(folder: Path, origin: Origin) -> FoundTypes:
    if (folder / MANIFEST_FILE).is_file():
        return _load(folder.resolve(), origin)
    manifests = sorted(folder.glob(f"*/{MANIFEST_FILE}"))
    if not manifests:
        remedy = f"Name a folder with an {MANIFEST_FILE}, or one whose subfolders have it."
        fault = TypeFault(str(folder), "", "there is no activity type in this folder", remedy)
        return FoundTypes((), (RejectedType(folder.name, origin, (fault,)),))
    return _join(_load(file.parent.resolve(), origin) for file in manifests)


def _load(folder: Path, origin: Origin) -> FoundTypes:
    """Return the type in a folder, and its older versions in the subfolder `versions`."""
    older = sorted(file.parent for file in folder.glob(f"{VERSIONS}/*/{MANIFEST_FILE}"))
    return _join(_load_version(each, folder.name, origin) for each in (folder, *older))


def _load_version(folder: Path, name: str, origin: Origin) -> FoundTypes:
    try:
        return FoundTypes((load_type(folder, origin, name=name),), ())
    except InvalidActivityType as error:
        return FoundTypes((), (RejectedType(name, origin, error.faults),))


def _join(found: Iterable[FoundTypes]) -> FoundTypes:
    parts = list(found)
    return FoundTypes(tuple(each for part in parts for each in part.types), tuple(each for part in parts for each in part.rejected))


def folder_of(source: Any) -> Path:  # noqa: ANN401 - whatever an entry point names
    """Return the folder of an entry point's object."""
    return Path(source()) if callable(source) else Path(source.__file__).parent
