import httpx2
import pytest

from tests.browser.live_session import PHONE, LiveSession, screenshot
from tests.browser.samples import AT_ONCE, OPTIONS, SAMPLES
from tests.support.processes import PLAIN

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", SAMPLES)
def test_every_activity_type_is_answered_on_a_phone(live: LiveSession, name: str) -> None:
    config, answer, expected, more = SAMPLES[name]
    activity = live.activity(name, config, **more)
    page = live.phone()
    page.get_by_role("heading", level=1).wait_for()

    answer(page)
    screenshot(page, f"phone-{name}")
    if name not in AT_ONCE:
        page.get_by_role("button", name="Send").click()
    page.get_by_text("Your answer is in ·").wait_for()

    assert live.answers(activity) == [expected]
    assert page.evaluate("innerWidth") == PHONE["viewport"]["width"]


def test_an_unknown_type_takes_any_json(live: LiveSession) -> None:
    activity = live.activity("tug-of-war", {"question": "Pull!", "teams": ["red", "blue"]})
    page = live.phone()

    page.get_by_label("Your answer as JSON").fill('{"team": "red"')
    page.get_by_text("This is not JSON yet.").wait_for()
    page.get_by_label("Your answer as JSON").fill('{"team": "red"}')
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Your answer is in ·").wait_for()

    assert live.answers(activity) == [{"team": "red"}]


@pytest.mark.parametrize(("between", "around"), [(" ", ""), ("-", ""), ("", ""), (" - ", " ")])
def test_a_code_is_taken_however_it_is_typed(live: LiveSession, between: str, around: str) -> None:
    groups = live.session["join_code"].lower().split("-")  # more of them where a server has many sessions
    page = live.window("/", **PHONE)

    page.get_by_label("Code on the screen").fill(around + between.join(groups) + around)
    page.get_by_role("button", name="Continue").click()

    page.get_by_label("Your nickname").wait_for()
    assert page.get_by_role("heading", level=1).inner_text() == "Town hall"


def test_a_wrong_code_stays_in_the_field_and_the_focus_returns(live: LiveSession) -> None:
    page = live.window("/", **PHONE)

    page.get_by_label("Code on the screen").fill("BBBB-BBBB")
    page.get_by_role("button", name="Continue").click()
    page.get_by_text("There is no session with this code.").wait_for()

    assert page.evaluate("document.activeElement.id") == "code"
    assert page.get_by_label("Code on the screen").input_value() == "BBBB-BBBB"


def test_a_taken_name_comes_with_free_ones(live: LiveSession) -> None:
    live.phone("Anna")
    page = live.window(f"/j/{live.session['join_code']}", **PHONE)

    page.get_by_label("Your nickname").fill("anna")
    page.get_by_role("button", name="Join").click()
    page.get_by_text("This nickname is taken.").wait_for()
    screenshot(page, "phone-name-taken")
    page.get_by_text("Still free:").get_by_role("button").first.click()

    page.get_by_text("You are in").wait_for()


def test_ten_long_options_can_all_be_reached_on_a_small_phone(live: LiveSession) -> None:
    options = [{"id": chr(97 + at), "text": f"Option {at} " + "long words " * 10} for at in range(10)]
    activity = live.activity("poll", {"question": "Which?", "options": options, "multiple": False})
    page = live.phone(viewport={"width": 320, "height": 480})

    page.get_by_label("Option 9").check()
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Your answer is in ·").wait_for()

    assert live.answers(activity) == [{"choices": ["j"]}]
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_seat_and_the_answer_survive_reload_and_a_new_tab(live: LiveSession) -> None:
    activity = live.activity("poll", {"question": "Where?", "options": OPTIONS, "multiple": False})
    page = live.phone()
    page.get_by_label("Curry").check()
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Your answer is in ·").wait_for()

    page.reload()
    other = live.tab(page.context, f"/j/{live.session['join_code']}")
    for tab in (page, other):
        tab.get_by_text("Your answer is in ·").wait_for()
        assert tab.get_by_label("Curry").is_checked()

    assert live.call("GET", "/participants")["total"] == 1
    assert len(live.answers(activity)) == 1


def test_a_draft_survives_a_reload(live: LiveSession) -> None:
    live.activity("wall", {"question": "Well?"})
    page = live.phone()
    page.get_by_label("Your text").fill("Half a thou")

    page.reload()

    page.get_by_label("Your text").wait_for()
    assert page.get_by_label("Your text").input_value() == "Half a thou"


def test_typed_text_and_focus_stay_while_others_answer_and_the_host_edits(live: LiveSession) -> None:
    activity = live.activity("wall", {"question": "Well?"})
    page = live.phone()
    page.get_by_label("Your text").press_sequentially("More ")

    live.call("PATCH", f"/activities/{activity['id']}", {"config": {"question": "Well, then?"}})
    page.get_by_role("heading", name="Well, then?").wait_for()
    page.keyboard.type("light")

    assert page.get_by_label("Your text").input_value() == "More light"


def test_answering_works_by_keyboard_alone(live: LiveSession) -> None:
    activity = live.activity("poll", {"question": "Where?", "options": OPTIONS, "multiple": False})
    page = live.phone(has_touch=False, is_mobile=False)
    page.get_by_label("Pizza").wait_for()

    while page.evaluate("document.activeElement.name") != "choice":
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Send"
    page.keyboard.press("Enter")
    page.get_by_text("Your answer is in ·").wait_for()

    assert live.answers(activity) in ([{"choices": ["a"]}], [{"choices": ["b"]}])


def test_a_removed_participant_is_informed_and_sent_to_the_join_page(live: LiveSession) -> None:
    page = live.phone()
    page.get_by_text("You are in").wait_for()
    person = live.call("GET", "/participants")["items"][0]

    headers = {"authorization": f"Bearer {live.session['host_token']}"}
    httpx2.delete(f"{live.server.url}/api/v1/participants/{person['id']}", headers=headers, **PLAIN).raise_for_status()

    page.get_by_text("Your seat in this session is no longer valid.").wait_for()
    page.get_by_label("Code on the screen").wait_for()


def test_without_scripts_the_form_leads_to_a_page_that_names_what_is_missing(live: LiveSession) -> None:
    page = live.window("/", **PHONE, java_script_enabled=False)

    page.get_by_label("Code on the screen").fill("bcdf ghjk")
    page.get_by_role("button", name="Continue").click()

    page.wait_for_url("**/j/bcdfghjk")
    assert "answering needs JavaScript" in page.locator("noscript p").inner_text()
    live.contexts.remove(page.context)
    page.context.close()


@pytest.mark.catalogue("W-01")
def test_what_people_write_is_text_and_nothing_else(live: LiveSession) -> None:
    live.call("PATCH", "", {"title": "<img src=x onerror=alert(1)>\u202eevil"})
    page = live.phone("<b>Anna</b>")
    page.get_by_text("You are in, <b>Anna</b>.").wait_for()

    assert page.locator("main img, main b").count() == 0
