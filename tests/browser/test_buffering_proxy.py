"""Pages behind lighttpd with default settings: it buffers responses, so streams never start."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.browser.live_session import LiveSession, new_session
from tests.deploy.programs import program
from tests.deploy.proxies import lighttpd, running
from tests.support.ports import free_port
from tests.support.processes import served
from tests.support.wire import get

pytestmark = pytest.mark.browser

HELD_S = 3.0
"""First bytes of a stream leave within 1 s of its opening."""

FALL_BACK_MS = 45_000
"""Pages wait 10 s for first bytes, then poll; a busy machine may be slow."""


@pytest.fixture
def buffered(tmp_path: Path, browser: Any) -> Iterator[tuple[LiveSession, int]]:
    program("lighttpd")
    port = free_port()
    with ExitStack() as stack:
        server = stack.enter_context(served(tmp_path / "data"))
        command = lighttpd(tmp_path, port, int(server.url.rpartition(":")[2]), is_buffering=True)
        stack.enter_context(running(command, tmp_path, port))
        server.url = f"http://127.0.0.1:{port}"
        yield stack.enter_context(new_session(server, browser)), port


def test_phone_host_and_screen_go_on_with_polls(buffered: tuple[LiveSession, int]) -> None:
    live, port = buffered
    assert is_held_back(port, live), "else nothing is shown here"
    phone, screen, host = live.phone(), live.screen(), live.host()
    phone.get_by_text("You are in, Anna.").wait_for()
    screen.get_by_role("img", name="QR code to join").wait_for()
    host.locator(".next").wait_for()

    wall = live.activity("wall", {"question": "What would help?"})
    for page in (phone, screen, host):
        page.get_by_text("What would help?").first.wait_for(timeout=FALL_BACK_MS)
    phone.get_by_label("Your text").fill("More daylight")
    phone.get_by_role("button", name="Send").click()
    phone.get_by_text("Your answer is in ·").wait_for()

    assert live.answers(wall) == [{"text": "More daylight"}]


def is_held_back(port: int, live: LiveSession) -> bool:
    """Return whether nothing of a stream comes through, not even its head."""
    with socket.create_connection(("127.0.0.1", port), timeout=HELD_S) as line:
        line.sendall(get(f"{live.path}/events", live.session["host_token"]))
        try:
            line.recv(1)
        except TimeoutError:
            return True
    return False
