"""Loader: reads an activity type from its folder, and reports every fault with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from conflicto import __version__
from conflicto.activity_types.errors import InvalidActivityType
from conflicto.activity_types.folder_files.drawings import DRAWING_FILE, drawing_faults
from conflicto.activity_types.folder_files.folder_reader import FolderReader
from conflicto.activity_types.folder_files.hints import RehearsalHints
from conflicto.activity_types.folder_files.language_tags import tag_fault
from conflicto.activity_types.folder_files.manifest import CATALOG, DEFAULT_ORDER, DRAWING, EXAMPLE, MANIFEST, REHEARSAL
from conflicto.activity_types.folder_files.pointer_checks import aggregate_faults, check_config_pointers, check_hint_pointers
from conflicto.activity_types.folder_files.schema_files import TypeSchemas, read_schemas
from conflicto.activity_types.folder_files.upgrade_files import read_upgrades
from conflicto.activity_types.folder_files.view_files import VIEWS, check_views, module_lines
from conflicto.activity_types.model import ActivityType
from conflicto.activity_types.origin import FOLDER, Origin, OriginKind
from conflicto.activity_types.scopes import scopes_of
from conflicto.aggregation.spec import INVALID_NAME, invalid_names, spec_faults
from conflicto.platform.strict_json import pointer_escape

if TYPE_CHECKING:
    from pathlib import Path

    from conflicto.activity_types.folder_files.upgrade_steps import UpgradeSteps

MANIFEST_FILE = "activity.json"
REHEARSAL_FILE = "rehearsal.json"
AGGREGATE_FILE = "aggregate.json"
PARSED = frozenset({OriginKind.INCLUDED, OriginKind.SESSION})
VERSIONS = "versions"
"""Subfolder with the folders of older versions, by version."""


class _Content(NamedTuple):
    """The checked content of a folder's JSON files. `aggregate` is None if there is none."""

    manifest: dict[str, Any]
    schemas: TypeSchemas
    aggregate: dict[str, Any] | None
    examples: tuple[dict[str, Any], ...]
    catalogs: dict[str, dict[str, str]]
    hints: dict[str, Any]
    drawings: dict[str, Any]
    upgrades: dict[str, UpgradeSteps]


def load_type(folder: Path, origin: Origin = FOLDER, *, name: str | None = None) -> ActivityType:
    """Return the activity type in a folder.

    `name` is given for the folder of an older version, `NAME/versions/VERSION`.

    Raises:
        InvalidActivityType: the folder holds no valid type; lists all faults that were found.
    """
    is_older = name is not None and folder.parent.name == VERSIONS
    reader = FolderReader(folder, f"{name}/{VERSIONS}/{folder.name}" if is_older else name)
    content = _read(reader, name or folder.name)
    if content is not None and is_older and content.manifest.get("version", folder.name) != folder.name:
        reader.add(
            MANIFEST_FILE, "/version", f"must be the folder's name, {folder.name}", "Rename the folder, or write its name here."
        )
    if origin.kind not in PARSED:  # the bundler, or the check before installation, parsed their views
        check_views(reader)
    if reader.faults or content is None:
        raise InvalidActivityType(reader.faults)
    return _build(folder, origin, content)


def _read(reader: FolderReader, name: str) -> _Content | None:
    """Read all JSON files; None, and faults, without schemas that pointers could lead into."""
    manifest, schemas, aggregate = _manifest(reader, name), read_schemas(reader), _aggregate(reader)
    examples = tuple(reader.folder_of("examples", EXAMPLE).values())
    catalogs = _catalogs(reader)
    hints = _hints(reader)
    drawings = reader.checked(DRAWING_FILE, DRAWING) if reader.has(DRAWING_FILE) else {}
    if schemas is None:
        return None
    check_config_pointers(reader, schemas)
    for fault in aggregate_faults(aggregate or {}, schemas):
        reader.add(AGGREGATE_FILE, *fault)
    for fault in drawing_faults(drawings, aggregate or {}, schemas.config):
        reader.add(DRAWING_FILE, *fault)
    check_hint_pointers(reader, REHEARSAL_FILE, hints, schemas)
    upgrades = read_upgrades(reader, manifest.get("version"))
    return _Content(manifest, schemas, aggregate, examples, catalogs, hints, drawings, upgrades)


def _build(folder: Path, origin: Origin, content: _Content) -> ActivityType:
    manifest, schemas, aggregate, examples, catalogs, hints, drawings, upgrades = content
    lines = module_lines(folder)
    return ActivityType(
        name=manifest["type"],
        version=manifest["version"],
        title=manifest["title"],
        icon=manifest["icon"],
        folder=folder,
        origin=origin,
        order=manifest.get("order", DEFAULT_ORDER),
        defaults=manifest.get("defaults", {}),
        defaults_for_many=manifest.get("defaults_for_many", {}),
        fresh=manifest.get("fresh", {}),
        authors=tuple(manifest.get("authors", ())),
        license=manifest.get("license"),
        homepage=manifest.get("homepage"),
        requires=manifest.get("requires"),
        config_schema=schemas.config,
        response_schema=schemas.response,
        secret_schema=schemas.secret,
        aggregate=None if aggregate is None else msgspec.json.encode(aggregate).decode(),
        scopes=scopes_of(schemas.config),
        examples=examples,
        catalogs=catalogs,
        rehearsal_hints=RehearsalHints(**hints),
        drawings=drawings,
        upgrades=upgrades,
        ui=tuple(view for view in VIEWS if f"{view}.js" in lines),
        module_lines=lines,
    )


def _manifest(reader: FolderReader, name: str) -> dict[str, Any]:
    manifest = reader.checked(MANIFEST_FILE, MANIFEST)
    if manifest and manifest["type"] != name:
        reader.add(MANIFEST_FILE, "/type", f"must be the folder's name, {name}", "Rename the folder, or write its name here.")
    _check_requirement(reader, manifest.get("requires", ""))
    return manifest


def _check_requirement(reader: FolderReader, requires: str) -> None:
    """Report a range of versions that is none, or that does not contain this program."""
    try:
        is_met = SpecifierSet(requires).contains(__version__, prereleases=True)
    except InvalidSpecifier:
        reader.add(MANIFEST_FILE, "/requires", "is no range of versions", "Write a range such as >=0.1,<2.")
        return
    if not is_met:
        remedy = "Update Conflicto, or take another version of the type."
        reader.add(MANIFEST_FILE, "/requires", f"needs Conflicto {requires}, and this is {__version__}", remedy)


def _aggregate(reader: FolderReader) -> dict[str, Any] | None:
    """Read `aggregate.json`, by the same rules as hosts' own specs; None if it is missing."""
    if not reader.has(AGGREGATE_FILE):
        return None
    spec = reader.json(AGGREGATE_FILE)
    faults = list(spec_faults(spec)) if spec is not None else []
    for name in invalid_names(spec):
        reader.add(AGGREGATE_FILE, f"/{pointer_escape(name)}", INVALID_NAME, "Rename it, for example to answers.")
    for pointer, message in faults:
        if message != INVALID_NAME:
            reader.add(AGGREGATE_FILE, pointer, message, "docs/api.md lists the operations with their options.")
    return None if faults else spec


def _hints(reader: FolderReader) -> dict[str, Any]:
    hints = reader.checked(REHEARSAL_FILE, REHEARSAL) if reader.has(REHEARSAL_FILE) else {}
    for language in hints.get("phrases", ()):
        if fault := tag_fault(language):
            reader.add(REHEARSAL_FILE, f"/phrases/{pointer_escape(language)}", *fault)
    return hints


def _catalogs(reader: FolderReader) -> dict[str, dict[str, str]]:
    catalogs = reader.folder_of("i18n", CATALOG)
    for locale in catalogs:
        if fault := tag_fault(locale):
            reader.add(f"i18n/{locale}.json", "", *fault)
    return catalogs
