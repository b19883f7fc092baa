"""Read a folder and make an activity type of it, or say in which file, where and why it is none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from conflicto.activity_types.checking import Check, compiled
from conflicto.activity_types.errors import OutsideSubset, TypeRefused
from conflicto.activity_types.habits import Habits
from conflicto.activity_types.manifest import CATALOG, EXAMPLE, LAST, MANIFEST, REHEARSAL
from conflicto.activity_types.model import ActivityType
from conflicto.activity_types.scopes import PUBLIC, scopes_of
from conflicto.activity_types.subset import BOUND, SCOPE, Schema, check_subset, walk
from conflicto.aggregation.spec import spec_faults
from conflicto.platform.problems import DomainError
from conflicto.platform.strict_json import Limits, compact

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST_FILE = "activity.json"
REHEARSAL_FILE = "rehearsal.json"
AGGREGATE_FILE = "aggregate.json"
FILE_LIMITS = Limits(max_bytes=64 * 1024)
MOST_FILES = 50
"""Examples, and catalogs, of one type."""

VIEWS = ("participant", "screen", "editor")

_LOCALE = re.compile(r"[a-z]{2,3}(?:-[A-Z][A-Za-z]{1,3})?")


def load_type(folder: Path) -> ActivityType:
    """Return the activity type that lies in a folder.

    Raises:
        TypeRefused: it is none; names the file, the place in it and the reason.
    """
    manifest = _fitting(folder, MANIFEST_FILE, MANIFEST)
    if manifest["type"] != folder.name:
        raise TypeRefused(_called(folder, MANIFEST_FILE), "/type", f"must be the folder's name, {folder.name}")
    config_schema = _schema(folder, "config.schema.json")
    if config_schema.get("type") != "object":
        raise TypeRefused(_called(folder, "config.schema.json"), "/type", "a config is an object")
    response_schema = _schema(folder, "response.schema.json", config=config_schema)
    has_secret = (folder / "secret.schema.json").exists()
    return ActivityType(
        name=manifest["type"],
        version=manifest["version"],
        title=manifest["title"],
        icon=manifest["icon"],
        folder=folder,
        order=manifest.get("order", LAST),
        defaults=manifest.get("defaults", {}),
        defaults_for_many=manifest.get("defaults_for_many", {}),
        fresh=manifest.get("fresh", {}),
        config_schema=config_schema,
        response_schema=response_schema,
        secret_schema=_schema(folder, "secret.schema.json") if has_secret else None,
        aggregate=_aggregate(folder),
        scopes=scopes_of(config_schema),
        examples=tuple(_many(folder, "examples", EXAMPLE).values()),
        catalogs=_catalogs(folder),
        habits=_habits(folder),
        ui=tuple(view for view in VIEWS if (folder / "ui" / f"{view}.js").is_file()),
    )


def _schema(folder: Path, file: str, *, config: Schema | None = None) -> Schema:
    """Read a schema, hold it against the subset and compile it; `config`: where its limits stand, if others than hosts meet them."""
    schema: Schema = _read(folder, file)
    try:
        check_subset(schema)
        compiled(schema)
        for pointer, part, _ in walk(schema):
            _require_place(part, pointer, is_config=file.startswith("config"), config=config)
    except OutsideSubset as error:
        raise TypeRefused(_called(folder, file), error.pointer, error.reason) from None
    return schema


def _require_place(part: Schema, pointer: str, *, is_config: bool, config: Schema | None) -> None:
    """Scopes belong to configs, and a limit that participants run into must not stand where they may not look."""
    if SCOPE in part and not is_config:
        raise OutsideSubset(f"{pointer}/{SCOPE}", "only a config has scopes")
    for keyword in BOUND & part.keys() if config is not None else ():
        name = str(part[keyword]).split("/")[1:2]
        scope = config.get("properties", {}).get(*name, {}).get(SCOPE, PUBLIC) if config and name else PUBLIC
        if scope != PUBLIC:
            raise OutsideSubset(f"{pointer}/{keyword}", "leads to a part of the config that participants do not see")


def _aggregate(folder: Path) -> str | None:
    """Read how answers are counted, by the rules that hosts' own specs meet too."""
    if not (folder / AGGREGATE_FILE).exists():
        return None
    spec = _read(folder, AGGREGATE_FILE)
    for pointer, message in spec_faults(spec):
        raise TypeRefused(_called(folder, AGGREGATE_FILE), pointer, message)
    return msgspec.json.encode(spec).decode()


def _habits(folder: Path) -> Habits:
    return Habits(**_fitting(folder, REHEARSAL_FILE, REHEARSAL)) if (folder / REHEARSAL_FILE).exists() else Habits()


def _catalogs(folder: Path) -> dict[str, dict[str, str]]:
    catalogs = _many(folder, "i18n", CATALOG)
    for locale in catalogs:
        if not _LOCALE.fullmatch(locale):
            raise TypeRefused(_called(folder, f"i18n/{locale}.json"), "", "is not named by a locale, such as en or pt-BR")
    return catalogs


def _many(folder: Path, below: str, check: Check) -> dict[str, Any]:
    files = sorted((folder / below).glob("*.json"))
    if len(files) > MOST_FILES:
        raise TypeRefused(_called(folder, below), "", f"holds more than {MOST_FILES} files")
    return {file.stem: _fitting(folder, f"{below}/{file.name}", check) for file in files}


def _fitting(folder: Path, file: str, check: Check) -> Any:  # noqa: ANN401 - what `check` says
    value = _read(folder, file)
    for fault in check.faults(value):
        raise TypeRefused(_called(folder, file), fault.pointer, fault.message)
    return value


def _read(folder: Path, file: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return msgspec.json.decode(compact((folder / file).read_bytes(), FILE_LIMITS))
    except OSError:
        raise TypeRefused(_called(folder, file), "", "cannot be read") from None
    except DomainError as error:
        raise TypeRefused(_called(folder, file), "", str(error)) from None


def _called(folder: Path, file: str) -> str:
    return f"{folder.name}/{file}"
