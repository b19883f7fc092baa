"""A session, a network that can be cut, and windows of one engine, for the flows."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from selenium.common import WebDriverException
from selenium.webdriver import Remote

from tests.engines.matrix import Case
from tests.engines.window import TIMEOUT_S, Window
from tests.support.bad_network import Network, Weather, network
from tests.support.between import Between, between
from tests.support.processes import ADMIN, Served

SOURCES = Path(__file__).parents[2] / "src/conflicto"
SCREENSHOTS = Path(os.environ.get("CONFLICTO_TEST_PICTURES", "build/pictures")) / "engines"
PHONE, LAPTOP, PROJECTOR = (500, 900), (1280, 900), (1600, 1000)
NO_STREAMS = {r"GET .*/events": (204, "", b"")}


@dataclass
class CaseRun:
    """A running case. Requests of windows pass `network`, then `way`; calls of the test do not."""

    case: Case
    driver: Remote
    server: Served
    way: Between
    network: Network
    artefacts: Path
    session: dict[str, Any]
    words: dict[str, str]
    windows: list[Window] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"/sessions/{self.session['id']}"

    @property
    def link(self) -> str:
        return f"/j/{self.session['join_code'].replace('-', '')}#key={self.session['link_key']}"

    def word(self, key: str) -> str:
        """Return what a page says in the case's language, up to the first value in it."""
        return self.words[key].partition("{")[0].strip()

    def window(self, path: str, size: tuple[int, int] = PHONE) -> Window:
        made = Window(self.driver, f"http://127.0.0.1:{self.network.port}", self.case.language, self.artefacts, size=size)
        self.windows.append(made)
        made.open(path)
        return made

    def phone(self, nickname: str = "Anna") -> Window:
        phone = self.window(self.link)
        phone.fill("#nickname", nickname)
        phone.press("form[data-door] button")
        phone.find(".seat summary")
        return phone

    def screen(self) -> Window:
        return self.window(f"/screen/{self.session['id']}#token={self.session['screen_token']}", PROJECTOR)

    def call(self, method: str, path: str, body: Any = None, **how: Any) -> Any:
        return self.server.call(method, self.path + path, body, **how)

    def activity(self, type_name: str, config: dict[str, Any], **more: Any) -> dict[str, Any]:
        return self.call("POST", "/activities", {"type": type_name, "config": config, "status": "active", **more})

    def answers(self, activity: dict[str, Any]) -> list[Any]:
        return [each["response_data"] for each in self.call("GET", f"/activities/{activity['id']}/responses")["items"]]

    def answer(self, activity: dict[str, Any], response: Any, nickname: str) -> None:
        """Answer as somebody else does, without a window."""
        seat = self.server.call("POST", "/join", {"nickname": nickname, "code": self.session["join_code"]})
        body = {"response_data": response}
        self.call(
            "POST",
            f"/activities/{activity['id']}/responses",
            body,
            token=seat["participant_token"],
            key=f"{nickname}-{activity['id']}",
        )

    def expire(self, activity: dict[str, Any], **more: Any) -> None:
        self.call("POST", f"/activities/{activity['id']}/transition", {"target_status": "expired"})
        if more:
            self.call("POST", f"/activities/{activity['id']}/reveal", more)

    def end(self) -> None:
        self.call("PATCH", "", {"status": "completed"})

    def cut(self) -> None:
        """Cut the network between every window and the server."""
        self.network.weather = Weather.REFUSING
        self.network.cut()

    def reconnect(self) -> None:
        self.network.weather = Weather.FAIR

    def has_passed(self, part: str) -> bool:
        """Return whether a request passed in whose address this stands."""
        return any(part in each for each in list(self.way.seen))

    def until(self, true: Callable[[], bool], what: str, within_s: float = TIMEOUT_S) -> None:
        """Wait for something of the server or of the network."""
        end = time.monotonic() + within_s
        while not true():
            assert time.monotonic() < end, f"Waited {within_s} s for {what}. {self.keep('failed')} Passed: {self.way.seen[-12:]}"
            time.sleep(0.05)

    def screenshot(self, name: str) -> None:
        """Keep pictures of every window, for people to look at."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        for at, window in enumerate(self.windows):
            window.run("return 0")
            self.driver.save_screenshot(str(SCREENSHOTS / f"{name}-{self.case.engine}-{self.case.language}-{at}.png"))

    def keep(self, name: str) -> str:
        """Keep what every window shows."""
        return " ".join(window.keep(f"{name}-{at}") for at, window in enumerate(self.windows))


def catalog(language: str, of: str = "web") -> dict[str, str]:
    """Return the words of the pages, or those of a type that pages show."""
    return dict(json.loads((SOURCES / of / "i18n" / f"{language}.json").read_text(encoding="utf-8")))


@contextmanager
def run_case(case: Case, driver: Remote, server: Served, artefacts: Path) -> Iterator[CaseRun]:
    """Yield a session that is open, and close its windows afterwards."""
    session = server.call("POST", "/sessions", {"title": "Town hall"}, token=ADMIN)
    server.call("PATCH", f"/sessions/{session['id']}", {"status": "active"})
    with between(server.url) as way, network(int(urlsplit(way.url).port or 0)) as line:
        way.answers |= NO_STREAMS if case.transport == "poll" else {}
        made = CaseRun(case, driver, server, way, line, artefacts, session, catalog(case.language))
        first = driver.window_handles[0]
        try:
            yield made
        finally:
            _close(driver, first)


def _close(driver: Remote, first: str) -> None:
    for handle in [each for each in driver.window_handles if each != first]:
        driver.switch_to.window(handle)
        with suppress(WebDriverException):
            driver.switch_to.alert.dismiss()
        driver.close()
    driver.switch_to.window(first)
    driver.front = first  # type: ignore[attr-defined]
    driver.delete_all_cookies()
