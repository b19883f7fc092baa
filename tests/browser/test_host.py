from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.browser.live_session import LAPTOP, PHONE, LiveSession, screenshot
from tests.browser.samples import OPTIONS
from tests.support.processes import ADMIN

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

POLL = {"question": "Where do we eat?", "options": OPTIONS, "multiple": False}


def _draft(live: LiveSession, question: str = "Where do we eat?", **more) -> dict:
    return live.call("POST", "/activities", {"type": "poll", "config": POLL | {"question": question}, **more})


def test_from_the_start_up_address_to_an_answer(live: LiveSession) -> None:
    host = live.window(f"/#admin={ADMIN}", **LAPTOP)
    host.wait_for_url("**/host")
    host.get_by_label("Title", exact=True).fill("Lunch")
    host.get_by_label("Subtitle").fill("Every Friday")
    host.get_by_role("button", name="Create").click()
    host.wait_for_url("**/host/s/*")
    assert ADMIN not in host.url

    host.get_by_text("+ Add an activity").click()
    screenshot(host, "host-types")
    host.get_by_role("button", name="Poll", exact=True).click()
    host.get_by_label("Question").fill("Where do we eat?")
    host.get_by_label("Options 1").fill("Pizza")
    host.get_by_label("Options 2").fill("Curry")
    screenshot(host, "host-editor")
    host.get_by_role("button", name="Save").click()
    host.locator(".next", has_text="Open the session").click()
    host.locator(".next", has_text="Start: Where do we eat?").click()

    live.session["join_code"] = host.locator(".head .code").inner_text()
    phone = live.phone()
    phone.get_by_label("Curry").check()
    phone.get_by_role("button", name="Send").click()
    host.get_by_text("1 answer", exact=True).first.wait_for()
    screenshot(host, "host-running")


@pytest.mark.parametrize(
    ("name", "fill", "config", "secret"),
    [
        ("Rating", {"Question": "How was it?", "Highest value": "10"}, {"question": "How was it?", "min": 1, "max": 10}, None),
        ("Word cloud", {"Question": "In a word?"}, {"question": "In a word?", "max_words": 3}, None),
        (
            "Estimate", {"Question": "How heavy?", "Unit": "kg", "True value": "12.5"},
            {"question": "How heavy?", "unit": "kg"}, {"correct": 12.5},
        ),
        ("Planning poker", {"Story": "Sign in", "Deck": "1, 2, 3"}, {"story": "Sign in", "deck": ["1", "2", "3"]}, None),
    ],
)  # fmt: skip
def test_forms_make_the_config_of_a_type(live: LiveSession, name: str, fill: dict, config: dict, secret: dict | None) -> None:
    host = live.host()
    host.get_by_text("+ Add an activity").click()
    host.get_by_role("button", name=name, exact=True).click()
    for label, text in fill.items():
        host.get_by_label(label, exact=True).fill(text)
        host.keyboard.press("Tab")
    host.get_by_role("button", name="Save").click()
    host.locator("dialog").wait_for(state="hidden")

    made = live.call("GET", "/activities")["items"][0]
    assert made["config"] == config
    assert made["secret"] == secret
    assert made["aggregate"]


def test_the_editor_shows_what_will_be_seen_and_what_is_wrong(live: LiveSession) -> None:
    host = live.host()
    host.get_by_text("+ Add an activity").click()
    host.get_by_role("button", name="Rating", exact=True).click()
    host.get_by_label("Question").fill("How was it?")
    preview = host.locator(".preview")
    preview.locator(".phone-frame").get_by_text("How was it?").wait_for()
    preview.locator(".stage").get_by_role("heading", name="How was it?", include_hidden=True).wait_for()
    assert host.locator(".fault").count() == 0, "what was not touched yet is not complained of"

    host.get_by_label("Highest value", exact=True).fill("-3")
    host.locator("#f-config-max-fault").get_by_text("must be at least 1").wait_for()
    assert host.get_by_label("Highest value", exact=True).get_attribute("aria-describedby") == "f-config-max-fault"
    screenshot(host, "host-editor-fault")
    host.get_by_label("Highest value", exact=True).fill("3")
    host.locator(".fault").wait_for(state="detached")
    assert preview.locator(".phone-frame .step").count() == 3


def test_a_quiz_question_keeps_its_answer_to_the_host(live: LiveSession) -> None:
    host = live.host()
    host.get_by_text("+ Add an activity").click()
    host.get_by_role("button", name="Quiz").click()
    host.get_by_label("Question").fill("Which is hottest?")
    host.get_by_label("Options 1").fill("Pizza")
    host.get_by_label("Options 2").fill("Curry")
    host.get_by_label("Correct answer").select_option("b")
    host.get_by_label("Explanation").fill("It has chillies")
    host.get_by_role("button", name="Save").click()
    host.locator(".next", has_text="Start").click()
    phone = live.phone()
    phone.get_by_label("Pizza").check()
    phone.get_by_role("button", name="Send").click()
    phone.get_by_text("Your answer is in ·").wait_for()
    assert phone.get_by_text("It has chillies").count() == 0

    host.locator(".next", has_text="Close answering").click()
    host.locator(".next", has_text="Show results").click()

    phone.get_by_text("It has chillies").wait_for()
    phone.get_by_text("Your answer was not correct").wait_for()
    screenshot(phone, "phone-quiz-revealed")


def test_one_key_leads_from_opening_to_the_next_question(live: LiveSession) -> None:
    first, second = _draft(live, "First?"), _draft(live, "Second?")
    host = live.host()
    states = []

    for words in ("Start: First?", "Close answering", "Show results", "Start: Second?", "Close answering"):
        host.locator(".next", has_text=words).wait_for()
        host.keyboard.press("Space")
        states.append(words)
    host.locator(".next", has_text="Show results").wait_for()

    statuses = {each["id"]: (each["status"], each["results_revealed"]) for each in live.call("GET", "/activities")["items"]}
    assert statuses == {first["id"]: ("expired", True), second["id"]: ("expired", False)}


def test_keys_rest_while_someone_types_and_can_be_switched_off(live: LiveSession) -> None:
    activity = _draft(live, status="active")
    host = live.host()
    host.get_by_role("button", name=f"Edit: {POLL['question']}").click()
    host.get_by_label("Question").press_sequentially(" l h ")
    host.get_by_role("button", name="Cancel").click()
    assert live.call("GET", f"/activities/{activity['id']}")["status"] == "active"

    host.keyboard.press("?")
    host.get_by_role("heading", name="Keyboard shortcuts").wait_for()
    shown = host.locator("kbd").all_inner_texts()
    assert shown == ["␣ ⏎ →", "1 … 9", "L", "R", "H", "J", "G", "N", "B .", "T", "F", "?"], "no more and no fewer than act now"
    host.get_by_label("Use single-key shortcuts").uncheck()
    host.get_by_role("button", name="Close", exact=True).click()
    host.keyboard.press("l")
    host.wait_for_timeout(300)
    assert live.call("GET", f"/activities/{activity['id']}")["status"] == "active"


def test_the_last_step_can_be_taken_back(live: LiveSession) -> None:
    activity = _draft(live, status="active")
    host, other = live.host(), live.host()
    phone = live.phone()

    host.locator(".next", has_text="Close answering").click()
    phone.locator("main").get_by_text("Answering is closed").wait_for()
    other.locator(".next", has_text="Show results").wait_for()
    host.get_by_role("button", name="Undo").click()

    phone.get_by_role("button", name="Send").wait_for()
    other.locator(".next", has_text="Close answering").wait_for()
    assert live.call("GET", f"/activities/{activity['id']}")["status"] == "active"


def test_activities_are_moved_copied_and_deleted(live: LiveSession) -> None:
    for question in ("One?", "Two?", "Three?"):
        _draft(live, question)
    host = live.host()
    host.on("dialog", lambda dialog: dialog.accept())

    host.get_by_role("button", name="Move up: Three?").click()
    _in_order(host, ["One?", "Three?", "Two?"])
    host.get_by_role("button", name="Duplicate: Two?").click()
    _in_order(host, ["One?", "Three?", "Two?", "Two?"])
    host.get_by_role("button", name="Delete: One?").click()
    _in_order(host, ["Three?", "Two?", "Two?"])

    assert [each["config"]["question"] for each in live.call("GET", "/activities")["items"]] == ["Three?", "Two?", "Two?"]


def _in_order(host: "Page", questions: list[str]) -> None:
    host.wait_for_function(
        "(wanted) => JSON.stringify([...document.querySelectorAll('ol.rows > li .grow')].map((each) => each.textContent)) === wanted",
        arg=str(questions).replace("'", '"').replace(", ", ","),
    )


def test_people_are_renamed_and_removed(live: LiveSession) -> None:
    phone = live.phone("Anna")
    host = live.host()
    host.on("dialog", lambda dialog: dialog.accept("Anna Lena" if dialog.type == "prompt" else None))
    host.get_by_text("People · 1 joined").click()

    host.get_by_role("button", name="Rename: Anna").click()
    phone.get_by_text("You are in, Anna Lena.").wait_for(timeout=20_000)
    host.get_by_role("button", name="Remove: Anna Lena").click()

    phone.get_by_text("Your seat in this session is no longer valid.").wait_for()
    host.get_by_text("People · 0 joined").wait_for()


def test_what_waits_for_the_host_is_approved_or_hidden(live: LiveSession) -> None:
    live.activity("wall", {"question": "What would help?"}, moderation="before", responses_visibility="screen")
    host, screen, phone = live.host(), live.screen(), live.phone()
    phone.get_by_label("Your text").fill("More daylight")
    phone.get_by_role("button", name="Send").click()
    phone.get_by_text("waits for the host").wait_for()
    host.get_by_text("More daylight").wait_for()
    screenshot(host, "host-moderation")
    assert screen.get_by_text("More daylight").count() == 0

    host.get_by_role("button", name="Approve").click()
    screen.get_by_text("More daylight").wait_for()
    screenshot(screen, "screen-wall")
    host.get_by_role("button", name="Hide", exact=True).click()
    screen.get_by_text("More daylight").wait_for(state="detached")


@pytest.mark.parametrize("width", [320, 360, 412])
def test_a_phone_is_a_remote_control(live: LiveSession, width: int) -> None:
    _draft(live, "A question that is rather long, so that it has to be folded on a small phone?", status="active")
    host = live.host(**(PHONE | {"viewport": {"width": width, "height": 640}}))

    host.locator(".next", has_text="Close answering").wait_for()
    host.get_by_text("+ Add an activity").click()
    screenshot(host, f"host-remote-{width}")

    assert host.evaluate("document.documentElement.scrollWidth") <= width


def test_a_link_hands_the_session_to_a_cohost(live: LiveSession) -> None:
    host = live.host()
    links = []
    host.on("dialog", lambda dialog: (links.append(dialog.default_value), dialog.accept()))
    host.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    host.get_by_role("button", name="Code and links").click()
    host.get_by_role("heading", name="Code and links").wait_for()
    screenshot(host, "host-invite")
    host.get_by_role("button", name="Copy: Link for a co-host").click()
    host.wait_for_timeout(500)

    cohost = live.window(links[0].removeprefix(live.server.url), **LAPTOP)
    cohost.locator(".next").wait_for()
    assert "token" not in cohost.url


def test_a_page_without_a_token_names_what_it_needs(live: LiveSession) -> None:
    host = live.window(f"/host/s/{live.session['id']}", **LAPTOP)
    host.get_by_text("This page needs a host link.").wait_for()

    screen = live.window(f"/screen/{live.session['id']}", **LAPTOP)
    screen.get_by_text("Open this screen with the link on the host’s page.").wait_for()


def test_the_report_shows_the_outcome_of_a_session(live: LiveSession) -> None:
    live.activity("wall", {"question": "What would help?"})
    phone = live.phone()
    phone.get_by_label("Your text").fill("More daylight")
    phone.get_by_role("button", name="Send").click()
    phone.get_by_text("Your answer is in ·").wait_for()

    report = live.host("/report")
    report.get_by_text("More daylight").first.wait_for()
    screenshot(report, "host-report")


def test_the_report_calls_no_answers_missing_where_a_type_has_no_results(live: LiveSession) -> None:
    question = live.activity("questions", {"prompt": "Ask us anything"}, response_policy="many")
    seat = live.server.call("POST", "/join", {"nickname": "Ben", "code": live.session["join_code"]})
    path = f"{live.path}/activities/{question['id']}/responses"
    live.server.call("POST", path, {"response_data": {"text": "When do we move?"}}, token=seat["participant_token"])

    report = live.host("/report", locale="ar")
    item = report.locator("li", has_text="When do we move?")
    item.wait_for()
    assert report.get_by_text("لا إجابات بعد").count() == 0
    assert item.evaluate("(row) => getComputedStyle(row).direction") == "rtl", "its mark stands where the others' stand"


def test_a_host_shows_one_answer_at_random_and_another_at_each_click(live: LiveSession) -> None:
    wall = live.activity("wall", {"question": "Why?"}, responses_visibility="screen")
    texts = [f"Reason {number}" for number in range(3)]
    for text in texts:
        seat = live.server.call("POST", "/join", {"nickname": text, "code": live.session["join_code"]})
        path = f"{live.path}/activities/{wall['id']}/responses"
        live.server.call("POST", path, {"response_data": {"text": text}}, token=seat["participant_token"])
    host, screen = live.host(), live.screen()

    shown = []
    for _ in range(4):
        host.get_by_role("button", name="Show one at random").click()
        host.wait_for_function(
            """(last) => {
              const [button] = document.querySelectorAll("button[aria-pressed=true][aria-label^='Show large']");
              return button && button.getAttribute("aria-label") !== last;
            }""",
            arg=shown[-1] if shown else "",
        )
        shown.append(host.locator("button[aria-pressed=true][aria-label^='Show large']").get_attribute("aria-label"))
        screen.get_by_role("heading", name=shown[-1].removeprefix("Show large: ")).wait_for()
    assert all(one != following for one, following in pairwise(shown))
    screenshot(host, "host-random")
