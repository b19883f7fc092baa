"""Loader: reads an activity type from its folder and reports the file and place of an error."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from conflicto.activity_types.errors import InvalidActivityType, UnsupportedSchema
from conflicto.activity_types.hints import RehearsalHints
from conflicto.activity_types.manifest import CATALOG, DEFAULT_ORDER, EXAMPLE, MANIFEST, REHEARSAL
from conflicto.activity_types.model import ActivityType
from conflicto.activity_types.scopes import PUBLIC, scopes_of
from conflicto.activity_types.subset import CONFIG_POINTERS, SCOPE, Schema, check_subset, walk
from conflicto.activity_types.validator import SchemaValidator, compile_schema
from conflicto.aggregation.spec import spec_faults
from conflicto.platform.problems import DomainError
from conflicto.platform.sizes import KIB
from conflicto.platform.strict_json import JsonLimits, compact

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST_FILE = "activity.json"
REHEARSAL_FILE = "rehearsal.json"
AGGREGATE_FILE = "aggregate.json"
FILE_LIMITS = JsonLimits(max_bytes=64 * KIB)
MAX_FILES = 50
"""Example files, and catalog files, of one type."""

VIEWS = ("participant", "screen", "editor")

_LOCALE = re.compile(r"[a-z]{2,3}(?:-[A-Z][A-Za-z]{1,3})?")


def load_type(folder: Path) -> ActivityType:
    """Return the activity type in a folder.

    Raises:
        InvalidActivityType: the folder holds no valid type; names the file, the pointer and the
            reason.
    """
    manifest = _read_valid(folder, MANIFEST_FILE, MANIFEST)
    if manifest["type"] != folder.name:
        raise InvalidActivityType(_display_path(folder, MANIFEST_FILE), "/type", f"must be the folder's name, {folder.name}")
    config_schema = _schema(folder, "config.schema.json")
    if config_schema.get("type") != "object":
        raise InvalidActivityType(_display_path(folder, "config.schema.json"), "/type", "a config is an object")
    response_schema = _schema(folder, "response.schema.json", config=config_schema)
    has_secret = (folder / "secret.schema.json").exists()
    return ActivityType(
        name=manifest["type"],
        version=manifest["version"],
        title=manifest["title"],
        icon=manifest["icon"],
        folder=folder,
        order=manifest.get("order", DEFAULT_ORDER),
        defaults=manifest.get("defaults", {}),
        defaults_for_many=manifest.get("defaults_for_many", {}),
        fresh=manifest.get("fresh", {}),
        config_schema=config_schema,
        response_schema=response_schema,
        secret_schema=_schema(folder, "secret.schema.json") if has_secret else None,
        aggregate=_aggregate(folder),
        scopes=scopes_of(config_schema),
        examples=tuple(_read_folder(folder, "examples", EXAMPLE).values()),
        catalogs=_catalogs(folder),
        rehearsal_hints=_rehearsal_hints(folder),
        ui=tuple(view for view in VIEWS if (folder / "ui" / f"{view}.js").is_file()),
    )


def _schema(folder: Path, file: str, *, config: Schema | None = None) -> Schema:
    """Read, check and compile a schema.

    `config` is the config's schema, which defines the scopes of limits that participants meet; None
    for schemas that only hosts meet.
    """
    schema: Schema = _read(folder, file)
    try:
        check_subset(schema)
        compile_schema(schema)
        for pointer, part, _ in walk(schema):
            _check_placement(part, pointer, is_config=file.startswith("config"), config=config)
    except UnsupportedSchema as error:
        raise InvalidActivityType(_display_path(folder, file), error.pointer, error.reason) from None
    return schema


def _check_placement(part: Schema, pointer: str, *, is_config: bool, config: Schema | None) -> None:
    """Require that only configs have scopes, and that participants can read their limits."""
    if SCOPE in part and not is_config:
        raise UnsupportedSchema(f"{pointer}/{SCOPE}", "only a config has scopes")
    for keyword in CONFIG_POINTERS & part.keys() if config is not None else ():
        name = str(part[keyword]).split("/")[1:2]
        scope = config.get("properties", {}).get(*name, {}).get(SCOPE, PUBLIC) if config and name else PUBLIC
        if scope != PUBLIC:
            raise UnsupportedSchema(f"{pointer}/{keyword}", "leads to a part of the config that participants do not see")


def _aggregate(folder: Path) -> str | None:
    """Read `aggregate.json`, by the same rules as hosts' own specs."""
    if not (folder / AGGREGATE_FILE).exists():
        return None
    spec = _read(folder, AGGREGATE_FILE)
    for pointer, message in spec_faults(spec):
        raise InvalidActivityType(_display_path(folder, AGGREGATE_FILE), pointer, message)
    return msgspec.json.encode(spec).decode()


def _rehearsal_hints(folder: Path) -> RehearsalHints:
    return (
        RehearsalHints(**_read_valid(folder, REHEARSAL_FILE, REHEARSAL)) if (folder / REHEARSAL_FILE).exists() else RehearsalHints()
    )


def _catalogs(folder: Path) -> dict[str, dict[str, str]]:
    catalogs = _read_folder(folder, "i18n", CATALOG)
    for locale in catalogs:
        if not _LOCALE.fullmatch(locale):
            raise InvalidActivityType(
                _display_path(folder, f"i18n/{locale}.json"), "", "is not named by a locale, such as en or pt-BR"
            )
    return catalogs


def _read_folder(folder: Path, below: str, check: SchemaValidator) -> dict[str, Any]:
    files = sorted((folder / below).glob("*.json"))
    if len(files) > MAX_FILES:
        raise InvalidActivityType(_display_path(folder, below), "", f"holds more than {MAX_FILES} files")
    return {file.stem: _read_valid(folder, f"{below}/{file.name}", check) for file in files}


def _read_valid(folder: Path, file: str, check: SchemaValidator) -> Any:  # noqa: ANN401 - what `check` says
    value = _read(folder, file)
    for error in check.errors(value):
        raise InvalidActivityType(_display_path(folder, file), error.pointer, error.message)
    return value


def _read(folder: Path, file: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return msgspec.json.decode(compact((folder / file).read_bytes(), FILE_LIMITS))
    except OSError:
        raise InvalidActivityType(_display_path(folder, file), "", "cannot be read") from None
    except DomainError as error:
        raise InvalidActivityType(_display_path(folder, file), "", str(error)) from None


def _display_path(folder: Path, file: str) -> str:
    return f"{folder.name}/{file}"
