"""Ports for servers that tests start as processes, and that need a number before they listen.

A port chosen by the kernel (port 0) would be free now and taken a moment later. It comes from the
range that all outgoing connections of the machine use.

These ports lie below that range (Linux begins at 32768, others at 49152). Each process holds a
block of them.
"""

import fcntl
import getpass
import socket
import tempfile
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import BinaryIO

FIRST, LAST = 20_000, 32_000
BLOCK = 100


def free_port() -> int:
    """Return a free port of this process's block.

    It is not returned again before all others of the block.
    """
    block, mine, _ = _block()
    for _ in range(BLOCK):
        port = next(mine)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise RuntimeError(f"no port from {block} to {block + BLOCK - 1} is free")


@cache
def _block() -> tuple[int, "cycle[int]", BinaryIO]:
    """Reserve a block; return it with its ports and its lock.

    The lock ends with the process.
    """
    folder = Path(tempfile.gettempdir()) / f"conflicto-ports-{getpass.getuser()}"
    folder.mkdir(exist_ok=True)
    for first in range(FIRST, LAST, BLOCK):
        lock = (folder / str(first)).open("wb")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            continue
        return first, cycle(range(first, first + BLOCK)), lock
    raise RuntimeError(f"every block of ports from {FIRST} to {LAST} is held by another process")
