"""Views that do not come with the program run in frames, where each can only show its activity."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.live_session import PHONE, LiveSession, new_session, view_frame
from tests.browser.samples import SAMPLES
from tests.support.custom_types import put_type
from tests.support.misbehaving_views import EXCESSES, LEAVES, REACHES, misbehaving_views
from tests.support.processes import Served, served
from tests.support.sink import Sink, sink

if TYPE_CHECKING:
    from typing import Any

pytestmark = pytest.mark.browser

STOPPED = "The view of this activity was stopped"
SETTLE_S = 0.4
CONFIG = {"question": "us"}
MAX_MORE_BYTES = 12_000
"""Bytes that a framed view may add from joining to the first activity. Most are modules that the
page has already, because an opaque origin does not share its cache.
"""

DEFERRED_TEXT = """
import { ActivityElement, h, t } from "../../sdk/v1.js";

export default class Texts extends ActivityElement {
  view() {
    return h("p", { id: "text" }, t("problem.unavailable"));
  }
}
"""


@pytest.fixture(scope="module")
def outside() -> Iterator[Sink]:
    with sink() as made:
        yield made


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory, outside: Sink) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("strangers")
    for name, modules in misbehaving_views(outside.url, outside.stun).items():
        put_type(folder / "types" / name, name, modules)
    put_type(folder / "types" / "texts", "texts", {"participant": DEFERRED_TEXT})
    with served(folder / "data", CONFLICTO_ACTIVITY_TYPES=str(folder / "types")) as server:
        yield server


@pytest.fixture
def room(strangers: Served, browser: "Any", outside: Sink) -> Iterator[LiveSession]:
    outside.received.clear()
    with new_session(strangers, browser) as made:
        yield made
        made.errors.clear()  # the driver also names requests that a policy stopped: the listener knows better


@pytest.mark.parametrize("name", REACHES)
def test_a_view_reaches_nothing_but_its_activity(room: LiveSession, outside: Sink, name: str) -> None:
    phone = room.phone()
    before = phone.url
    room.activity(name, CONFIG)

    outcome = view_frame(phone).locator("#outcome")
    outcome.get_by_text("kept out").wait_for()
    time.sleep(SETTLE_S)

    assert outside.received == []
    assert phone.url == before
    assert len(phone.context.pages) == 1


@pytest.mark.parametrize("name", LEAVES)
def test_a_view_that_leaves_its_frame_is_cut_off_and_carries_nothing_out(room: LiveSession, outside: Sink, name: str) -> None:
    phone = room.phone()
    room.activity(name, CONFIG)

    phone.get_by_text(STOPPED).wait_for()
    time.sleep(SETTLE_S)

    assert outside.received == []
    assert phone.locator("iframe").count() == 0
    phone.evaluate("window.broken = []")  # the policy of the page stopped it


@pytest.mark.parametrize("name", EXCESSES)
def test_a_view_that_takes_too_much_is_cut_off_and_the_page_goes_on(room: LiveSession, name: str) -> None:
    phone = room.phone()
    room.activity(name, CONFIG, response_policy="many", duration_seconds=300)
    phone.get_by_text(STOPPED).wait_for(timeout=30_000)

    assert phone.locator("iframe").count() == 0
    assert phone.get_by_role("timer").is_visible()
    phone.get_by_label("Your answer as JSON").fill('{"waved": true}')
    phone.get_by_role("button", name="Send").click()
    phone.get_by_text("Your answer is in ·").wait_for()
    with phone.expect_event("frameattached"):
        phone.get_by_role("button", name="Try again").click()


def test_a_framed_view_costs_few_bytes(room: LiveSession) -> None:
    more = joined_bytes(room, "texts", CONFIG) - joined_bytes(room, "poll", SAMPLES["poll"][0])

    assert more <= MAX_MORE_BYTES


def joined_bytes(room: LiveSession, name: str, config: "dict[str, Any]") -> int:
    """Return the bytes of a new phone until it shows the activity, without the view's module."""
    room.activity(name, config)
    phone, sizes = room.window(**PHONE), list[int]()

    def add(request: "Any") -> None:
        if f"/types/{name}/" not in request.url:
            sizes.append(sum(request.sizes()[part] for part in ("responseHeadersSize", "responseBodySize")))

    phone.on("requestfinished", add)
    phone.goto(f"{room.server.url}/j/{room.session['join_code']}")
    phone.get_by_label("Your nickname").fill(f"Anna {name}")
    phone.get_by_role("button", name="Join").click()
    (phone.get_by_label("Curry") if name == "poll" else view_frame(phone).locator("#text")).wait_for()
    return sum(sizes)


def test_texts_that_a_phone_loads_later_reach_its_frame(room: LiveSession) -> None:
    room.activity("texts", CONFIG)
    phone = room.phone()

    view_frame(phone).locator("#text", has_text="The server is busy").wait_for()
