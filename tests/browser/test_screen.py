import io
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.live_session import PROJECTOR, LiveSession, screenshot
from tests.browser.samples import OPTIONS, SAMPLES
from tests.support.processes import served

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

SIZES = [(1920, 1080), (1280, 720), (1024, 768)]
DRAWN = (
    ".results .bars, .results .cloud, .results .histogram, .results .strong, "
    ".question-list .votes, .reactions, .emojis span, .question-list .square"
)
"""Elements of charts. Some types have a chart of their own."""

COUNT = {"choices": {"path": "/choices", "op": "count"}}


@pytest.fixture
def counting(live: LiveSession) -> LiveSession:
    """A session on a server that counts answers."""
    paths = live.server.call("GET", "/openapi.json")["paths"]
    if "/api/v1/sessions/{session_id}/activities/{activity_id}/results" not in paths:
        pytest.skip("this server gives no results")
    return live


def _read(page: "Page", width: int) -> list[str]:
    """Return what a phone reads off a picture of the page that is `width` pixels wide."""
    import zxingcpp
    from PIL import Image

    image = Image.open(io.BytesIO(page.screenshot())).convert("L")
    small = image.resize((width, round(image.height * width / image.width)), Image.Resampling.BILINEAR)
    return [each.text for each in zxingcpp.read_barcodes(small)]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_code_can_be_read_from_the_last_row(live: LiveSession, theme: str) -> None:
    live.call("PATCH", "", {"subtitle": "Every Friday, in the large hall"})
    screen = live.screen(color_scheme=theme)
    screen.get_by_role("img", name="QR code to join").wait_for()
    screen.get_by_text("Every Friday, in the large hall").wait_for()
    screenshot(screen, f"screen-lobby-{theme}")

    address = f"{live.server.url}/j/{live.session['join_code'].replace('-', '')}#key={live.session['link_key']}"
    assert _read(screen, 384) == [address]
    assert live.session["join_code"] in screen.locator(".big-code").inner_text()

    live.activity("poll", SAMPLES["poll"][0])
    screen.get_by_text("Where do we eat?").wait_for()
    assert _read(screen, 640) == [address], "latecomers join while the question is shown"


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_screen_never_scrolls(live: LiveSession, width: int, height: int) -> None:
    screen = live.screen(viewport={"width": width, "height": height})
    options = [{"id": chr(97 + at), "text": f"Option {at}, which takes a little longer to read"} for at in range(8)]
    live.activity(
        "poll", {"question": "What is to be done, all things considered, and by when? " * 4, "options": options, "multiple": False}
    )
    screen.get_by_text("Option 7").wait_for()
    screenshot(screen, f"screen-long-{width}")

    assert screen.evaluate("[document.documentElement.scrollHeight, document.documentElement.scrollWidth]") == [height, width]


def test_answers_show_at_once_and_results_only_once_they_may(counting: LiveSession) -> None:
    activity = counting.activity("poll", SAMPLES["poll"][0], aggregate=COUNT)
    screen, phone = counting.screen(), counting.phone()
    bodies: list[str] = []
    for page in (screen, phone):
        page.on("response", lambda answer: bodies.append(_text(answer)))
    phone.get_by_label("Curry").check()
    phone.get_by_role("button", name="Send").click()
    screen.get_by_text("1 answer", exact=True).wait_for(timeout=3_000)
    screen.wait_for_timeout(1_500)
    assert not any('"op"' in body for body in bodies)
    assert screen.locator(".bars").count() == phone.locator(".bars").count() == 0

    counting.call("POST", f"/activities/{activity['id']}/reveal", {"results": True})

    for page, name in ((screen, "screen-results"), (phone, "phone-results")):
        page.get_by_role("row", name=re.compile("Curry.*1 · 100 %")).wait_for()
        screenshot(page, name)
        bars = page.locator(".bars rect").evaluate_all("(bars) => bars.map((bar) => Number(bar.getAttribute('width')))")
        assert bars == [0, 100, 0]


def _text(answer: Any) -> str:
    from playwright.sync_api import Error

    try:
        return answer.text() if "/results" in answer.url else ""
    except Error:  # a body that the page let go of
        return ""


@pytest.mark.parametrize("name", sorted(set(SAMPLES) - {"wall"}))
def test_every_activity_type_has_a_picture_of_its_results(counting: LiveSession, name: str) -> None:
    config, answer, _, more = SAMPLES[name]
    activity = counting.activity(name, config, **more)
    phone, screen, host = counting.phone(), counting.screen(), counting.host()
    answer(phone)
    if name != "pulse":
        phone.get_by_role("button", name="Send").click()
    phone.get_by_text("Your answer is in ·").wait_for()
    if name == "questions":
        question_id = counting.call("GET", f"/activities/{activity['id']}/responses")["items"][0]["id"]
        other = counting.server.call("POST", "/join", {"nickname": "Ben", "code": counting.session["join_code"]}, key="k" * 20)
        counting.server.call(
            "POST", f"{counting.path}/activities/{activity['id']}/responses", {"response_data": {"target": question_id, "vote": 1}},
            token=other["participant_token"],
        )  # fmt: skip

    host.get_by_role("button", name="Close answering").click()
    if host.locator(".next", has_text="Show results").count() or activity["results_visibility"] == "after_reveal":
        host.locator(".next", has_text="Show results").click()

    for page, window in ((screen, "screen"), (phone, "phone"), (host, "host")):
        page.locator(DRAWN).first.wait_for()
        page.wait_for_timeout(300)
        screenshot(page, f"{window}-{name}-results")


def test_words_of_a_cloud_keep_their_places_while_their_order_stays(counting: LiveSession) -> None:
    """Check 23: counts grow, and no word moves by more than a twentieth of the picture."""
    activity = counting.activity("words", {"question": "One word?"}, response_policy="many", results_visibility="always")
    voters = [
        counting.server.call("POST", "/join", {"nickname": f"P{number}", "code": counting.session["join_code"]})
        for number in range(6)
    ]

    def submit_words(seats: list[Any], *words: str) -> None:
        for seat in seats:
            body = {"response_data": {"words": list(words)}}
            counting.server.call(
                "POST", f"{counting.path}/activities/{activity['id']}/responses", body, token=seat["participant_token"]
            )

    submit_words(voters, "light", "calm")
    submit_words(voters[:4], "light", "bright")
    submit_words(voters[:2], "light", "a longer word")
    screen = counting.screen()
    screen.locator(".cloud text", has_text="bright").wait_for()
    before = _places(screen)
    assert len({place["size"] for place in before.values()}) > 1
    assert all(place["size"] > 20 for place in before.values())
    screenshot(screen, "screen-cloud")

    submit_words(voters, "light", "calm")
    screen.locator(".figures", has_text="18 answers").wait_for()
    screen.wait_for_timeout(500)
    after = _places(screen)
    assert after.keys() == before.keys()
    for word, place in before.items():
        assert abs(after[word]["x"] - place["x"]) <= 0.05 * PROJECTOR["viewport"]["width"], word
        assert abs(after[word]["y"] - place["y"]) <= 0.05 * PROJECTOR["viewport"]["height"], word


def _places(page: Any) -> dict[str, dict[str, float]]:
    return page.locator(".cloud text").evaluate_all(
        """(words) => Object.fromEntries(words.map((word) => {
          const box = word.getBoundingClientRect();
          const size = parseFloat(getComputedStyle(word).fontSize);
          return [word.textContent, { x: box.x + box.width / 2, y: box.y + box.height / 2, size }];
        }))"""
    )


def test_with_reduced_motion_nothing_moves(counting: LiveSession) -> None:
    counting.activity("poll", SAMPLES["poll"][0], aggregate=COUNT, results_visibility="always")
    screen, phone = counting.screen(reduced_motion="reduce"), counting.phone()
    phone.get_by_label("Curry").check()
    phone.get_by_role("button", name="Send").click()
    screen.get_by_role("row", name="Curry 1").wait_for()

    assert screen.evaluate("document.getAnimations().length") == 0


def test_a_screen_outlives_its_server_without_a_word(own: LiveSession) -> None:
    own.activity("poll", {"question": "Where?", "options": OPTIONS, "multiple": False})
    screen = own.screen()
    screen.get_by_role("heading", name="Where?").wait_for()
    port, folder = own.server.url.rsplit(":", 1)[1], own.server.log.parent

    own.server.kill()
    screen.locator(".lost").wait_for(timeout=10_000)
    screenshot(screen, "screen-lost")
    assert "Offline" not in screen.locator("main").inner_text()
    assert screen.get_by_role("heading", name="Where?").is_visible()

    with served(folder, at_port=int(port)) as back:
        own.server = back
        own.activity("poll", {"question": "And then?", "options": OPTIONS, "multiple": False})
        screen.get_by_role("heading", name="And then?").wait_for(timeout=12_000)
        screen.locator(".lost").wait_for(state="detached")
        screen.context.close()
        own.contexts.clear()


@pytest.mark.parametrize("visibility", ["after_reveal", "after_answer", "host"])
def test_hidden_results_are_not_requested(counting: LiveSession, visibility: str) -> None:
    """Pages know when results are hidden; refused requests would fill the console."""
    activity = counting.activity("poll", SAMPLES["poll"][0], results_visibility=visibility)
    screen, phone = counting.screen(), counting.phone()
    phone.get_by_text("Where do we eat?").first.wait_for()
    requested: list[tuple[str, int]] = []
    for page in (screen, phone):
        page.on("response", lambda response: requested.append((response.url, response.status)))

    screen.wait_for_timeout(4_000)

    assert [each for each in requested if each[1] >= 400] == []
    assert any(f"{activity['id']}/status" in url for url, _ in requested)
