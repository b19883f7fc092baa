"""A low limit on open files: late connections wait or are closed, the others are served."""

import resource
import socket
import time
from pathlib import Path

import httpx2
import pytest

from tests.support.checks import PATIENCE_S
from tests.support.crowd import gather
from tests.support.processes import PLAIN, Served, served

ROOM = 40
MORE = 200


@pytest.mark.catalogue("F-17")
def test_connections_beyond_the_files_that_may_be_open_hurt_nobody_who_is_in(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        crowd = gather(server)
        port = int(server.url.rpartition(":")[2])
        with crowd.answering(server), httpx2.Client(base_url=server.url, timeout=PATIENCE_S, **PLAIN) as early:
            assert early.get("/health/live").status_code == 200
            crowd.wait_for(30)
            open_now = _open_files(server)
            most = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)[1]
            resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (open_now + ROOM, most))
            late = [socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) for _ in range(MORE)]
            crowd.wait_for(30)
            assert _open_files(server) == open_now + ROOM
            assert early.get("/health/live").status_code == 200
            for each in late:
                each.close()
            until = time.monotonic() + PATIENCE_S
            while not _answers(server.url):
                assert time.monotonic() < until, "new connections are refused"
        assert {status for status, _ in crowd.refused} <= {503}
        assert crowd.lost(server) == {}


def _open_files(server: Served) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def _answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/health/ready", timeout=PATIENCE_S, **PLAIN).status_code == 200
    except httpx2.TransportError:
        return False
