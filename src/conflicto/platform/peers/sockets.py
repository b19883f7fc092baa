"""Sockets of the workers of a machine: their names in the common folder, and its faults."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUFFIX = ".sock"

MAX_PATH_BYTES = 107
"""Bytes of a Unix socket's path in Linux, which are fewer than those of other paths."""

MAX_FOLDER_BYTES = MAX_PATH_BYTES - len(f"/{2**22}{SUFFIX}")
"""Bytes of the folder's path that leave room for the largest process id."""

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


def fits(folder: Path) -> bool:
    """Return whether the path leaves room for the name of a socket."""
    return len(os.fsencode(folder)) <= MAX_FOLDER_BYTES


def is_of_this_account(folder: Path) -> bool:
    """Return whether the folder belongs to the account of this process."""
    return folder.stat().st_uid == os.geteuid()


def is_open_to_others(folder: Path) -> bool:
    """Return whether other accounts have any right there."""
    return bool(folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
