"""Files of a type's views: modules that a browser can load, with imports that it can resolve."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec

from conflicto.activity_types.folder_files.view_modules import DEFAULT, ModuleSyntaxError, ViewModule, parse_module
from conflicto.platform.sizes import KIB

if TYPE_CHECKING:
    from pathlib import Path

    from conflicto.activity_types.folder_files.folder_reader import FolderReader
    from conflicto.activity_types.folder_files.view_modules import ModuleImport

UI = "ui"
VIEWS = ("participant", "screen", "results", "editor")
MAX_MODULE_BYTES = 256 * KIB
MAX_MODULES = 50

SDK_PREFIX = "../../sdk/"
SDK_EXPORTS: dict[str, frozenset[str]] = msgspec.json.decode(
    files("conflicto.activity_types.folder_files").joinpath("sdk_exports.json").read_bytes(), type=dict[str, frozenset[str]]
)
"""Names that each module of the SDK exports; a test compares them with the sources."""


def check_views(reader: FolderReader) -> dict[str, ViewModule]:
    """Report modules that cannot be served, parsed or linked; return the others by file name."""
    reader.require_folder(UI)
    paths = sorted((reader.folder / UI).glob("*.js"))
    if len(paths) > MAX_MODULES:
        reader.add(UI, "", f"holds more than {MAX_MODULES} modules", "Join some of them.")
        return {}
    names = [path.name for path in paths]
    modules = {name: module for name in names if (module := _module(reader, f"{UI}/{name}")) is not None}
    for name, module in modules.items():
        for needed in module.imports:
            _check_import(reader, f"{UI}/{name}", needed, modules, names)
    for view in VIEWS:
        module = modules.get(f"{view}.js")
        if module is not None and DEFAULT not in module.exports:
            reader.add(f"{UI}/{view}.js", "", "exports nothing by default", "Export a custom element by default.")
    return modules


def module_lines(folder: Path) -> dict[str, int]:
    """Return the numbers of lines of all modules in a type's folder by file name."""
    return {path.name: len(path.read_bytes().splitlines()) for path in sorted((folder / UI).glob("*.js"))}


def _module(reader: FolderReader, file: str) -> ViewModule | None:
    """Return a parsed module; None and a fault if it cannot be read or parsed."""
    text = _text(reader, file)
    if text is None:
        return None
    try:
        return parse_module(text)
    except ModuleSyntaxError as error:
        message, remedy = f"is no module of ECMAScript 2026 ({error.message})", "Correct the syntax at this line."
        reader.add(file, "", message, remedy, line=error.line)
        return None


def _text(reader: FolderReader, file: str) -> str | None:
    """Return the text of a module; None and a fault if it is too large or not UTF-8."""
    body = reader.bytes_of(file, MAX_MODULE_BYTES)
    if body is None:
        return None
    if len(body) > MAX_MODULE_BYTES:
        reader.add(file, "", f"has more than {MAX_MODULE_BYTES // KIB} KiB", "Split the module, or shorten it.")
        return None
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        reader.add(file, "", "is not UTF-8", "Save the file as UTF-8.", line=line)
        return None


def _check_import(reader: FolderReader, file: str, needed: ModuleImport, modules: dict[str, ViewModule], names: list[str]) -> None:
    """Report an import of a module that is not served, or of a name that it does not export."""
    exported = _exports(needed.specifier, modules, names, set())
    if exported is None:
        places = ", ".join(
            [*(f"./{name}" for name in names if f"{UI}/{name}" != file), *(SDK_PREFIX + name for name in SDK_EXPORTS)]
        )
        reader.add(file, "", f"imports {needed.specifier}, which no page can load", f"Import one of {places}.", line=needed.line)
        return
    for name in needed.names:
        if name not in exported and needed.specifier.removeprefix("./") not in set(names) - modules.keys():
            known = ", ".join(sorted(exported)) or "nothing"
            reader.add(
                file, "", f"imports {name}, which {needed.specifier} does not export", f"It exports {known}.", line=needed.line
            )


def _exports(specifier: str, modules: dict[str, ViewModule], names: list[str], seen: set[str]) -> frozenset[str] | None:
    """Return the names that a module exports, None if it is not served."""
    if specifier.startswith(SDK_PREFIX):
        return SDK_EXPORTS.get(specifier.removeprefix(SDK_PREFIX))
    name = specifier.removeprefix("./")
    if name not in names or not specifier.startswith("./"):
        return None
    module = modules.get(name)
    if module is None or name in seen:
        return frozenset()
    below = (_exports(each, modules, names, seen | {name}) or frozenset() for each in module.star_exports)
    return frozenset(module.exports.union(*(each - {DEFAULT} for each in below)))
