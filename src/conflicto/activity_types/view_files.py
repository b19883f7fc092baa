"""Modules of a type's views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.platform.sizes import KIB

if TYPE_CHECKING:
    from conflicto.activity_types.folder_reader import FolderReader

UI = "ui"
MAX_MODULE_BYTES = 256 * KIB
MAX_MODULES = 50


def check_views(reader: FolderReader) -> None:
    """Report modules that cannot be served."""
    files = sorted((reader.folder / UI).glob("*.js"))
    if len(files) > MAX_MODULES:
        reader.add(UI, "", f"holds more than {MAX_MODULES} modules", "Join some of them.")
        return
    for path in files:
        module_text(reader, f"{UI}/{path.name}")


def module_text(reader: FolderReader, file: str) -> str | None:
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
