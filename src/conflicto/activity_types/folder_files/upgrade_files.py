"""Files of upgrades: `upgrades/VERSION.json` holds the steps from that version of a type."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from conflicto.activity_types.folder_files.manifest import UPGRADE, VERSION, version_key
from conflicto.activity_types.folder_files.upgrade_steps import EVERY, UpgradeSteps, steps_of

if TYPE_CHECKING:
    from conflicto.activity_types.folder_files.folder_reader import FolderReader

UPGRADES = "upgrades"

ARGUMENTS = {"rename": "to", "move": "to", "default": "value", "remove": None, "map": "values"}
"""The argument of each operation, beside its path."""

_VERSION = re.compile(VERSION)


def read_upgrades(reader: FolderReader, version: str | None) -> dict[str, UpgradeSteps]:
    """Return the steps by the version from which they lead to `version`, and add faults."""
    found = {}
    for source, declared in reader.folder_of(UPGRADES, UPGRADE).items():
        file = f"{UPGRADES}/{source}.json"
        if not _VERSION.fullmatch(source) or (version and version_key(source) >= version_key(version)):
            reader.add(file, "", "is not named by an older version", "Rename the file, for example to 1.json.")
            continue
        for part, steps in declared.items():
            for place, step in enumerate(steps):
                _check_step(reader, file, f"/{part}/{place}", step)
        if not reader.faults:
            found[source] = steps_of(declared)
    return found


def _check_step(reader: FolderReader, file: str, pointer: str, step: dict[str, Any]) -> None:
    op, argument = step["op"], ARGUMENTS[step["op"]]
    given = step.keys() - {"op", "path"}
    needed = {argument} if argument else set()
    if given != needed:
        remedy = f"Write `{argument}`, and nothing else beside `path`." if argument else "Write `path` only."
        reader.add(file, pointer, f"has not the arguments of {op}", remedy)
    elif op == "move" and (EVERY in step["path"].split("/") + step["to"].split("/") or not step["to"].startswith("/")):
        reader.add(file, pointer, "moves between places that are not single", "Write two JSON pointers without *.")
    elif op in {"rename", "default"} and step["path"].endswith("/" + EVERY):
        reader.add(file, f"{pointer}/path", "names no member", "End the pointer with the name of a member.")
