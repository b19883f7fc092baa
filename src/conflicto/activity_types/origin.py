"""Origin of a type: the program itself, an installed package or pack, a folder, or a host."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class OriginKind(StrEnum):
    """Kind of an origin."""

    INCLUDED = "included"
    PACKAGE = "package"
    PACK = "pack"
    FOLDER = "folder"
    SESSION = "session"


class Origin(NamedTuple):
    """Origin of a type.

    `detail` is the name and version of a package, or the digest of a pack, else empty.
    """

    kind: OriginKind
    detail: str = ""

    def __str__(self) -> str:
        """Return the origin for operators, such as `package bakery 1.2`."""
        return f"{self.kind} {self.detail}".rstrip()


FOLDER = Origin(OriginKind.FOLDER)
