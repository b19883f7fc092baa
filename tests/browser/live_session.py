"""A real server, a real browser, and the people in front of it."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.processes import ADMIN, Served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, FrameLocator, Locator, Page

SCREENSHOTS = Path(os.environ.get("CONFLICTO_TEST_PICTURES", "build/pictures"))

TIMEOUT_MS = 20_000

WATCH = """
  window.broken = [];
  document.addEventListener('securitypolicyviolation', (event) => window.broken.push(event.violatedDirective + ' ' + event.blockedURI));
"""

PHONE = {
    "viewport": {"width": 412, "height": 839},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
    "locale": "en-US",
}
LAPTOP = {"viewport": {"width": 1280, "height": 800}, "locale": "en-US"}
PROJECTOR = {"viewport": {"width": 1920, "height": 1080}, "locale": "en-US"}


@dataclass
class LiveSession:
    """A session and its windows. `errors` collects what a page must never do."""

    server: Served
    browser: "Browser"
    session: dict[str, Any]
    errors: list[str] = field(default_factory=list)
    contexts: list["BrowserContext"] = field(default_factory=list)
    way: str = ""
    """Base URL of a proxy before the server, if pages are opened there."""
    has_clock: bool = False
    """True if the test controls the clock of the windows."""

    @property
    def base(self) -> str:
        return self.way or self.server.url

    @property
    def path(self) -> str:
        return f"/sessions/{self.session['id']}"

    def window(self, at: str = "about:blank", **options: Any) -> "Page":
        context = self.browser.new_context(**options)
        context.set_default_timeout(TIMEOUT_MS)
        context.add_init_script(WATCH)
        if self.has_clock:
            context.clock.install()
        self.contexts.append(context)
        return self.tab(context, at)

    def tab(self, context: "BrowserContext", at: str) -> "Page":
        page = context.new_page()
        page.on("pageerror", lambda error: self.errors.append(f"{page.url}: {error}"))
        page.on("request", lambda request: self._note_foreign(request.url))
        page.goto(at if at.startswith("about:") else self.base + at)
        return page

    def host(self, where: str = "", **options: Any) -> "Page":
        return self.window(f"/host/s/{self.session['id']}{where}#token={self.session['host_token']}", **(LAPTOP | options))

    def screen(self, **options: Any) -> "Page":
        return self.window(f"/screen/{self.session['id']}#token={self.session['screen_token']}", **(PROJECTOR | options))

    def phone(self, nickname: str = "Anna", **options: Any) -> "Page":
        page = self.window(f"/j/{self.session['join_code'].replace('-', '')}", **(PHONE | options))
        page.locator("#nickname").fill(nickname)
        page.locator("form[data-door] button").click()
        page.wait_for_url("**/p/*")
        return page

    def call(self, method: str, path: str, body: Any = None) -> Any:
        return self.server.call(method, self.path + path, body)

    def activity(self, type_name: str, config: dict[str, Any], **more: Any) -> dict[str, Any]:
        return self.call("POST", "/activities", {"type": type_name, "config": config, "status": "active", **more})

    def answers(self, activity: dict[str, Any]) -> list[Any]:
        return [each["response_data"] for each in self.call("GET", f"/activities/{activity['id']}/responses")["items"]]

    def close_windows(self) -> None:
        """Close every window."""
        for context in self.contexts:
            context.close()
        self.contexts.clear()

    def violations(self) -> list[str]:
        """Return the violations of the security policy in all open windows."""
        return [each for context in self.contexts for page in context.pages for each in page.evaluate("window.broken ?? []")]

    def _note_foreign(self, url: str) -> None:
        if not url.startswith((self.base, "data:", "blob:", "about:")):
            self.errors.append(f"foreign request: {url}")


@contextmanager
def new_session(server: Served, browser: "Browser", *, is_open: bool = True) -> Iterator[LiveSession]:
    """Yield a new session. Its windows must not have had an error."""
    made = server.call("POST", "/sessions", {"title": "Town hall"}, token=ADMIN)
    found = LiveSession(server, browser, made)
    if is_open:
        found.call("PATCH", "", {"status": "active"})
    try:
        yield found
        assert found.errors == []
        assert found.violations() == []
    finally:
        found.close_windows()


def wait_until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until a condition outside of the pages holds."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def view_frame(place: "Page | Locator") -> "FrameLocator":
    """Return the frame of a view that does not come with the program."""
    return place.locator("iframe.view-frame").content_frame


def screenshot(page: "Page", name: str) -> None:
    """Store a screenshot of the page."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")
