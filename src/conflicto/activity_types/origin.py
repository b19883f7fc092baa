"""Origin of a type: the program itself, an installed package, or a configured folder."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class OriginKind(StrEnum):
    """Kind of an origin."""

    INCLUDED = "included"
    PACKAGE = "package"
    FOLDER = "folder"


class Origin(NamedTuple):
    """Origin of a type. `package` is the name and version of an installed package, else empty."""

    kind: OriginKind
    package: str = ""

    def __str__(self) -> str:
        """Return the origin for operators, such as `package bakery 1.2`."""
        return f"{self.kind} {self.package}".rstrip()


FOLDER = Origin(OriginKind.FOLDER)
