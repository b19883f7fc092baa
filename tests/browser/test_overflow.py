"""Content without space: hidden rows are counted, and important ones always shown."""

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.live_session import LiveSession, screenshot

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

SIZES = [(1920, 1080), (1024, 768), (800, 450)]

SEEN = """([rows, whole]) => {
  const isSeen = (each) => {
    const box = each.getBoundingClientRect();
    let inside = each.checkVisibility() && box.height > 0 && box.bottom <= innerHeight + 1 && box.right <= innerWidth + 1;
    for (let above = each.parentElement; inside && above; above = above.parentElement) {
      const edge = above.getBoundingClientRect();
      const isCut = box.bottom > edge.bottom + 1 || box.right > edge.right + 1 || box.left < edge.left - 1;
      if (getComputedStyle(above).overflow === 'hidden') inside = !isCut;
    }
    return inside;
  };
  const more = [...document.querySelectorAll('.more, tfoot td')].filter(({ innerText }) => innerText);
  const seen = [...document.querySelectorAll(rows)].filter(isSeen).map(({ innerText }) => innerText);
  const others = more.length === 1 ? Number(/[0-9]+/.exec(more[0].innerText)) : 0;
  return more.every(isSeen) && seen.length + others === whole && seen;
}"""


def people(room: LiveSession, number: int) -> list[Any]:
    return [
        room.server.call("POST", "/join", {"nickname": f"P{index}", "code": room.session["join_code"]}) for index in range(number)
    ]


def submit(room: LiveSession, activity: dict[str, Any], seat: Any, data: Any) -> Any:
    path = f"{room.path}/activities/{activity['id']}/responses"
    return room.server.call("POST", path, {"response_data": data}, token=seat["participant_token"])


def settled(page: "Page", rows: str, whole: int) -> list[str]:
    """Return the rows that can be read once they and the number of the others make up the whole."""
    found: list[str] = page.wait_for_function(SEEN, arg=[rows, whole]).json_value()
    return found


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_winner_of_many_options_is_on_the_screen(live: LiveSession, width: int, height: int) -> None:
    options = [{"id": chr(97 + at), "text": f"Option {at}"} for at in range(20)]
    poll = live.activity("poll", {"question": "Which?", "options": options, "multiple": False}, results_visibility="always")
    for seat in people(live, 3):
        submit(live, poll, seat, {"choices": ["t"]})
    screen = live.screen(viewport={"width": width, "height": height})

    seen = settled(screen, ".bars tbody tr", 20)

    assert any("Option 19" in row and "100" in row for row in seen), seen
    screenshot(screen, f"screen-20-options-{width}")


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_scale_from_0_to_10_has_its_10(live: LiveSession, width: int, height: int) -> None:
    scale = live.activity("rating", {"question": "How likely?", "min": 0, "max": 10}, results_visibility="always")
    submit(live, scale, people(live, 1)[0], {"rating": 10})
    screen = live.screen(viewport={"width": width, "height": height})

    seen = settled(screen, ".bars tbody tr", 11)

    assert re.match(r"10\b", seen[-1]), seen


def test_options_that_find_no_room_are_counted_before_the_results_too(live: LiveSession) -> None:
    options = [{"id": f"o{at}", "text": f"Option {at}, which takes a little longer to read than others do"} for at in range(20)]
    live.activity("poll", {"question": "Which of these? " * 20, "options": options, "multiple": False})
    screen = live.screen(viewport={"width": 800, "height": 450})

    seen = settled(screen, ".options li", 20)

    assert "Option 0" in seen[0]
    screenshot(screen, "screen-20-options-open")


def test_values_of_an_own_type_are_counted_beyond_the_rows_of_a_table(live: LiveSession) -> None:
    own = live.activity(
        "own", {}, aggregate={"all": {"path": "", "op": "count"}}, results_visibility="always", response_policy="many"
    )
    (seat,) = people(live, 1)
    for value in [*range(30), 29]:
        submit(live, own, seat, f"value {value}")
    for page in (live.screen(), live.host()):
        page.locator(".bars tbody tr").first.wait_for()
        seen = (
            settled(page, ".bars tbody tr", 30) if page.url.count("/screen/") else page.locator(".bars tbody tr").all_inner_texts()
        )
        assert any("value 29" in row for row in seen)
        page.locator(".bars tfoot td", has_text="more").wait_for()


def test_questions_and_notes_that_find_no_room_are_counted(live: LiveSession) -> None:
    question = live.activity("questions", {"prompt": "Ask us"})
    (seat,) = people(live, 1)
    for number in range(12):
        submit(live, question, seat, {"text": f"Question {number}, and a long one: " + "why is it so? " * 8})
    screen = live.screen(viewport={"width": 1024, "height": 768})
    screen.locator(".question-list li").first.wait_for()
    assert len(settled(screen, ".question-list li", 12)) >= 2
    screenshot(screen, "screen-12-questions")

    wall = live.activity("wall", {"question": "What would help?"}, response_policy="many", min_group=0)
    for number in range(30):
        submit(live, wall, seat, {"text": f"Note {number}: " + "more daylight " * 6})
    screen.locator(".notes li").first.wait_for()
    assert len(settled(screen, ".notes li", 30)) >= 4
    screenshot(screen, "screen-30-notes")


def test_places_and_names_that_find_no_room_are_counted(live: LiveSession) -> None:
    quiz = live.activity(
        "quiz",
        {"question": "Which?", "options": [{"id": "a", "text": "A"}, {"id": "b", "text": "B"}]},
        secret={"correct": "a"},
    )
    seats = people(live, 65)
    for seat in seats[:12]:
        submit(live, quiz, seat, {"choice": "a"})
    screen = live.screen(viewport={"width": 1024, "height": 768})
    live.call("POST", f"/activities/{quiz['id']}/transition", {"target_status": "expired"})
    live.call("POST", f"/activities/{quiz['id']}/reveal", {"results": True})
    live.call("POST", "/overlay", {"overlay": "leaderboard"})
    screen.locator(".cover .ranks").wait_for()
    assert len(settled(screen, ".cover .ranks tbody tr", 12)) >= 3
    screenshot(screen, "screen-12-places")

    live.call("POST", "/overlay", {"overlay": "names"})
    screen.locator(".names li").first.wait_for()
    assert len(settled(screen, ".names li", 65)) >= 10
    screenshot(screen, "screen-65-names")
