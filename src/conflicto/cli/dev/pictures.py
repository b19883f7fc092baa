"""Pictures of a type on the pages, in light and dark, taken by a browser that Playwright drives."""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import msgspec

from conflicto.cli.demo import free_port
from conflicto.cli.dev.server import HOST, STATUS
from conflicto.platform.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

START_TIMEOUT_S = 60.0
DRAW_TIMEOUT_MS = 60_000
POLL_INTERVAL_S = 0.2
STOP_TIMEOUT_S = 15.0

SIZES = {"phone": (390, 844), "screen": (1280, 720), "host": (1280, 900), "report": (900, 1200)}
"""Width and height of each page in px."""

THEMES = ("light", "dark")
SETTLING_MS = 2_000
"""Time in which counts and frames of a page arrive, in ms."""

MIN_ANSWERS = 6
"""Answers of scripted participants before the first picture."""


class NoPictures(Exception):
    """No picture can be taken; the message has a remedy."""


def take_pictures(folder: Path, target: Path) -> list[Path]:
    """Write a picture of each page in each theme below `target`, and return their paths.

    Raises:
        NoPictures: Playwright or its browser is missing, or the type has faults.
    """
    try:
        playwright = importlib.import_module("playwright.sync_api")
    except ImportError:
        message = "Pictures need Playwright: `pip install playwright`, then `playwright install chromium`."
        raise NoPictures(message) from None
    target.mkdir(parents=True, exist_ok=True)
    with _rehearsed(folder) as (url, links), playwright.sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=shutil.which("chromium"))
        except playwright.Error as error:
            message = f"No browser starts ({str(error).splitlines()[0]}). Run `playwright install chromium`."
            raise NoPictures(message) from None
        with browser:
            return [_picture(browser, url, links, page, theme, target) for page in SIZES for theme in THEMES]


def _picture(browser: Any, url: str, links: dict[str, str], page: str, theme: str, target: Path) -> Path:  # noqa: ANN401
    width, height = SIZES[page]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
    window = context.new_page()
    window.set_default_timeout(DRAW_TIMEOUT_MS)
    window.goto(f"{url}{links[page]}")
    if page == "phone":
        window.locator("#nickname").fill(f"You, {theme}")
        window.locator("#nickname").press("Enter")
        window.locator("#nickname").wait_for(state="detached")
    window.locator("main h1, main h2").first.wait_for()
    window.wait_for_load_state("load")
    for frame in window.frames:
        frame.wait_for_load_state("load")
    window.wait_for_timeout(SETTLING_MS)
    path = target / f"{page}-{theme}.png"
    window.screenshot(path=str(path))
    context.close()
    return path


@contextmanager
def _rehearsed(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Run `conflicto types dev`, and yield its address and links once people answered."""
    port = free_port()
    command = [sys.executable, "-m", "conflicto", "types", "dev", str(folder), "--port", str(port)]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ)  # noqa: S603 - our own program
        try:
            url = f"http://{HOST}:{port}"
            yield url, _links(url, process)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(STOP_TIMEOUT_S)


def _links(url: str, process: subprocess.Popen[bytes]) -> dict[str, str]:
    status = _wait_for(lambda: _read(f"{url}{STATUS}"), lambda found: bool(found.get("is_checked")), process)
    if status["faults"]:
        raise NoPictures("\n".join(status["faults"]))
    links: dict[str, str] = status["links"]
    path, _, token = links["host"].partition("#token=")
    activities = f"{url}/api/v1/sessions/{path.rpartition('/')[2]}/activities"
    first = _read(activities, token)["items"][0]["id"]
    _wait_for(
        lambda: _read(f"{activities}/{first}/responses/since/0", token),
        lambda found: len(found.get("items", ())) >= MIN_ANSWERS,
        process,
    )
    return links


def _wait_for(
    read: Callable[[], dict[str, Any]], is_true: Callable[[dict[str, Any]], bool], process: subprocess.Popen[bytes]
) -> dict[str, Any]:
    """Return what is read as soon as it holds."""
    clock = Clock()
    deadline_s = clock.monotonic_s() + START_TIMEOUT_S
    while process.poll() is None and clock.monotonic_s() < deadline_s:
        found = read()
        if is_true(found):
            return found
        time.sleep(POLL_INTERVAL_S)
    message = "The server of `conflicto types dev` did not start, or too few people answered."
    raise NoPictures(message)


def _read(url: str, token: str | None = None) -> dict[str, Any]:
    """Return the JSON at an address, an empty object while nobody listens."""
    try:
        response = httpx2.get(url, headers={"authorization": f"Bearer {token}"} if token else {}, trust_env=False, verify=False)
        found: dict[str, Any] = msgspec.json.decode(response.content)
    except httpx2.TransportError:
        return {}
    return found
