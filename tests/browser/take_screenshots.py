"""The README's pictures, from a real session: `python -m tests.browser.take_screenshots FOLDER`."""

import random
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.browser.conftest import ARGUMENTS
from tests.browser.live_session import LAPTOP, PHONE, LiveSession, new_session
from tests.support.processes import served

if TYPE_CHECKING:
    from playwright.sync_api import Page

NAMES = [
    *("Amara", "Ben", "Chiara", "Diego", "Elif", "Farid", "Greta", "Hana", "Ivo", "Jun", "Kofi", "Lena"),
    *("Mateo", "Nadia", "Oskar", "Priya", "Quinn", "Rosa", "Sami", "Tuva", "Umar", "Vera", "Wei", "Yara"),
]
WORDS = ["calm", "curious", "curious", "curious", "focused", "hopeful", "hopeful", "hopeful", "lunch", "ready", "tired"]
LUNCH = [
    {"id": "pizza", "text": "Pizza on the roof"},
    {"id": "curry", "text": "Curry from next door"},
    {"id": "soup", "text": "Soup, slowly"},
]
PLANETS = [{"id": "m", "text": "Mercury"}, {"id": "v", "text": "Venus"}, {"id": "j", "text": "Jupiter"}]


def main(folder: Path) -> None:
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, served(Path(data)) as server, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        with new_session(server, browser) as live:
            _take(live, folder)
        browser.close()


def _take(live: LiveSession, folder: Path) -> None:
    rng = random.Random(7)
    people = [_join(live, name) for name in NAMES]
    made = [
        _make(live, "poll", {"question": "Where do we eat on Friday?", "options": LUNCH, "multiple": False}),
        _make(live, "words", {"question": "How do you feel about the plan, in a word?", "max_words": 2}),
        _make(live, "quiz", {"question": "Which planet is the hottest?", "options": PLANETS}, secret={"correct": "v"}),
    ]
    host = live.host(**(LAPTOP | {"viewport": {"width": 1180, "height": 700}}))
    screen = live.screen(viewport={"width": 1280, "height": 720})
    phone = live.phone("Zoe", **(PHONE | {"viewport": {"width": 390, "height": 720}, "device_scale_factor": 1}))

    host.locator(".next", has_text="Start").click()
    phone.get_by_label("Curry from next door").check()
    phone.get_by_role("button", name="Send").click()
    phone.get_by_text("Your answer is in ·").wait_for()
    for token in people:
        _answer(live, made[0], token, {"choices": [rng.choice(["pizza", "curry", "curry", "soup"])]})
    host.get_by_text("25 answers").first.wait_for()
    host.wait_for_timeout(800)
    _keep(host, folder / "host.png")
    _keep(phone, folder / "phone.png")
    host.get_by_role("button", name="Show results").click()
    screen.get_by_role("table").wait_for()
    screen.wait_for_timeout(1_500)
    _keep(screen, folder / "screen.png")

    host.locator(".next", has_text="Close answering").click()
    host.locator(".next", has_text="Start").click()
    for token in people:
        _answer(live, made[1], token, {"words": [rng.choice(WORDS)]})
    screen.locator(".cloud text").nth(4).wait_for()
    screen.wait_for_timeout(1_500)


def _join(live: LiveSession, nickname: str) -> str:
    joined = live.server.call(
        "POST", "/join", {"nickname": nickname, "code": live.session["join_code"]}, key=f"picture-{nickname:-<16}"
    )
    return str(joined["participant_token"])


def _make(live: LiveSession, name: str, config: dict[str, Any], **more: Any) -> dict[str, Any]:
    return live.call("POST", "/activities", {"type": name, "config": config, **more})


def _answer(live: LiveSession, activity: dict[str, Any], token: str, data: Any) -> None:
    live.server.call("POST", f"{live.path}/activities/{activity['id']}/responses", {"response_data": data}, token=token)


def _keep(page: "Page", path: Path) -> None:
    """Keep a picture in 128 colours, which is all that flat pages have, at a third of the size."""
    from PIL import Image

    page.screenshot(path=path)
    Image.open(path).convert("RGB").quantize(128).save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
