import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.live_session import LiveSession, new_session
from tests.support.processes import Served, served

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP venue.test 127.0.0.1",
]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of Chromium. Without it tests are skipped, or fail in CI."""
    found = shutil.which("chromium")
    if found is None:
        assert "CI" not in os.environ, "the browser tests need Chromium"
        pytest.skip("there is no Chromium here")
    return found


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def live(server: Served, browser: Any) -> Iterator[LiveSession]:
    """A session that is open, on a server that all tests share."""
    with new_session(server, browser) as made:
        yield made


@pytest.fixture
def own(tmp_path: Path, browser: Any) -> Iterator[LiveSession]:
    """A session that is open, on a server that may be killed."""
    with served(tmp_path / "data") as running, new_session(running, browser) as made:
        yield made
