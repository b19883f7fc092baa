"""Ports for servers that tests start as processes of their own, which are told a number before they listen.

The kernel's own choice (port 0) would be free now and taken a moment later: it comes from the range that every outgoing connection of the
machine draws from. These ports lie below that range (Linux begins at 32768, others at 49152), in blocks that one process holds at a time.
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
    """Return a port of this process's block that nothing listens on; it is not given again before all others of the block were."""
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
    """Take a block, its ports and its lock, which goes with the process, whatever ends it."""
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
