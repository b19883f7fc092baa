"""Sockets of the workers of a machine: their names in the common folder."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUFFIX = ".sock"

_NAME = re.compile(r"([1-9][0-9]{0,9})" + re.escape(SUFFIX), re.ASCII)


def socket_path(folder: Path, pid: int) -> Path:
    """Return where a worker listens."""
    return folder / f"{pid}{SUFFIX}"


def socket_owners(folder: Path) -> Iterator[int]:
    """Yield the process ids that have a socket in the folder. Files of other names are left alone.

    Raises:
        OSError: the folder cannot be read.
    """
    for path in folder.iterdir():
        if (match := _NAME.fullmatch(path.name)) is not None:
            yield int(match[1])
