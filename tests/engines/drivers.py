"""Selenium drivers of the three engines. A driver without a reply within `REPLY_S` fails."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from selenium.common import WebDriverException
from selenium.webdriver import Chrome, ChromeOptions, Remote, WebKitGTKOptions
from selenium.webdriver.chrome.service import Service as ChromeService
from selenium.webdriver.common.options import ArgOptions
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.remote_connection import RemoteConnection
from selenium.webdriver.webkitgtk.service import Service as WebKitService

from tests.engines.marionette import Marionette

REPLY_S = 30
START_S = 60
PROGRAMS = {"chromium": ("chromium", "chromedriver"), "firefox": ("firefox-esr",), "webkitgtk": ("WebKitWebDriver", "Xvfb")}

FIREFOX = {
    "marionette.port": 0,
    "devtools.console.stdout.content": True,
    "intl.locale.requested": "en-US",
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "browser.startup.page": 0,
}


ALONE = {
    "GDK_BACKEND": "x11",
    "DBUS_SESSION_BUS_ADDRESS": "disabled:",
    "NO_AT_BRIDGE": "1",
    "GTK_USE_PORTAL": "0",
    "GIO_USE_VFS": "local",
    "GSETTINGS_BACKEND": "memory",
    "LANG": "C.UTF-8",
}
"""Variables for GTK: the X server of the test, without buses, portals and daemons."""


def missing(engine: str) -> list[str]:
    """Return which programs of an engine are not here."""
    return [name for name in PROGRAMS[engine] if shutil.which(name) is None]


@contextmanager
def started(engine: str, folder: Path) -> Iterator[Remote]:
    """Yield a driver with a new profile, and end its processes. Its log is `folder/log`."""
    folder.mkdir(parents=True, exist_ok=True)
    with ENGINES[engine](folder) as driver:
        driver.set_page_load_timeout(REPLY_S / 2)
        driver.set_script_timeout(REPLY_S / 2)
        try:
            yield driver
        finally:
            with suppress(Exception):  # what is stuck is killed with its processes
                driver.quit()


@contextmanager
def _chromium(folder: Path) -> Iterator[Remote]:
    options = ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for argument in (
        "headless=new",
        "no-sandbox",
        "disable-gpu",
        "disable-background-networking",
        "disable-sync",
        "enable-logging=stderr",
    ):
        options.add_argument(f"--{argument}")
    options.add_argument(f"--user-data-dir={folder / 'profile'}")
    service = ChromeService(shutil.which("chromedriver"), log_output=str(folder / "log"), env=_environment(folder))
    try:
        yield Chrome(options=options, service=service)
    finally:
        service.stop()


@contextmanager
def _firefox(folder: Path) -> Iterator[Remote]:
    profile = folder / "profile"
    profile.mkdir()
    lines = [f"user_pref({_quoted(name)}, {_quoted(value)});\n" for name, value in FIREFOX.items()]
    (profile / "user.js").write_text("".join(lines))
    command = ["firefox-esr", "--marionette", "--headless", "--no-remote", "--profile", str(profile)]
    with running(command, folder, env=_environment(folder)) as process:
        port = int(_content(profile / "MarionetteActivePort", process))
        yield Remote(command_executor=Marionette(port, REPLY_S), options=_Plain())


@contextmanager
def _webkitgtk(folder: Path) -> Iterator[Remote]:
    """Start MiniBrowser on its own X server, without services that it could wait for."""
    options = WebKitGTKOptions()
    options.binary_location = str(_minibrowser())
    options.add_argument("--automation")
    with display(folder) as name:
        env = _environment(folder) | ALONE | {"DISPLAY": name}
        service = WebKitService(shutil.which("WebKitWebDriver"), log_output=str(folder / "log"), env=env)
        service.start()
        try:
            connection = RemoteConnection(client_config=ClientConfig(service.service_url, timeout=REPLY_S))
            yield Remote(connection, options=options)
        finally:
            service.stop()


ENGINES = {"chromium": _chromium, "firefox": _firefox, "webkitgtk": _webkitgtk}


class _Plain(ArgOptions):
    @property
    def default_capabilities(self) -> dict[str, str]:
        return {}


@contextmanager
def display(folder: Path) -> Iterator[str]:
    """Yield the name of an X server that shows nothing to anybody."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1920x1200x24", "-nolisten", "tcp"]
    with ExitStack() as stack:
        stack.enter_context(running(command, folder, pass_fds=(write,)))
        os.close(write)
        with os.fdopen(read) as pipe:
            yield f":{pipe.readline().strip()}"


@contextmanager
def running(command: list[str], folder: Path, **how: object) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a process that writes to `folder/log` and is ended afterwards."""
    with (folder / "log").open("ab") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=sink, **how)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment(folder: Path) -> dict[str, str]:
    """Return variables with a new home, so that no setting of the tester applies."""
    (folder / "home").mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "LC_", "LANG", "DBUS_"))}
    return kept | {"HOME": str(folder / "home"), "LANG": "en_US.UTF-8"}


def _content(path: Path, process: subprocess.Popen[bytes]) -> str:
    end = time.monotonic() + START_S
    while not (path.exists() and path.read_text().strip()):
        if process.poll() is not None or time.monotonic() > end:
            raise WebDriverException(
                f"Firefox wrote no {path.name} within {START_S} s; its log is beside the profile in {path.parent.parent}"
            )
        time.sleep(0.05)
    return path.read_text()


def _minibrowser() -> Path:
    found = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
    if not found:
        raise WebDriverException("WebKitGTK's MiniBrowser is missing; install the package webkit2gtk-driver")
    return found[-1]


def _quoted(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, int) else f'"{value}"'
