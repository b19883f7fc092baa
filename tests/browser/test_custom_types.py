"""A custom activity type: a folder beside the server is enough."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.live_session import LiveSession, new_session, screenshot, view_frame
from tests.support.custom_types import put_type
from tests.support.processes import Served, served

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

PLAIN = """export default class extends HTMLElement {
  set activity(activity) {
    const button = this.querySelector("button") ?? document.createElement("button");
    button.textContent = `Wave at ${activity.config.question}`;
    button.onclick = () => this.dispatchEvent(new CustomEvent("answer", { detail: { response: { waved: true } }, bubbles: true }));
    this.append(button);
  }
}
"""
ON_SCREEN = """import { ActivityElement, h } from "../../sdk/v1.js";

export default class extends ActivityElement {
  view() {
    return h("p", { class: "large" }, this.t("waving", { n: this.results?.waves?.answers ?? 0 }), ` at ${this.config.question}`);
  }
}
"""
EDITOR = """import { EditorElement, h } from "../../sdk/v1.js";

export default class extends EditorElement {
  view() {
    return [this.form(), h("button", { type: "button", onclick: () => this.change({ question: "everybody" }) }, this.t("all"))];
  }
}
"""
FAILING = """import { %(base)s } from "../../sdk/v1.js";

export default class extends %(base)s {
  view() {
    throw new Error("not today");
  }
}
"""
EARLIER = """import { ActivityElement, h, pictured, shown, textField } from "../../sdk/v1.js";
import { drawMore } from "../../sdk/pictures.js";

export default class extends ActivityElement {
  static {
    this.holds("extra");
  }

  take(name, value) {
    super.take(name, value);
    this.dataset.taken = (this.dataset.taken ?? "") + name + " ";
  }

  view() {
    return [
      textField({ label: "Note", value: this.held.draft?.note, most: 12, oninput: (note) => this.begin(null, false, { note }) }),
      h("div", { own: true, id: "own" }),
      h("button", { type: "button", onclick: () => this.give({ waved: true }) }, `Wave ${shown(1234)} times`),
      pictured("https://images.example.org/a.png"), drawMore(2),
    ];
  }
}
"""
BASES = {"participant": "ActivityElement", "screen": "ActivityElement", "editor": "EditorElement"}
BROKEN = {view: FAILING % {"base": base} for view, base in BASES.items()}
WHOLE = {"participant": PLAIN, "screen": ON_SCREEN, "editor": EDITOR}


@pytest.fixture
def elsewhere(tmp_path: Path, browser: Any) -> Iterator[LiveSession]:
    for name, views in {"wave": WHOLE, "broken-wave": BROKEN, "early-wave": {"participant": EARLIER}}.items():
        put_type(tmp_path / "types" / name, name, views)
    with (
        served(tmp_path / "data", CONFLICTO_ACTIVITY_TYPES=str(tmp_path / "types")) as server,
        new_session(server, browser) as made,
    ):
        yield made


def test_a_folder_is_all_it_takes(elsewhere: LiveSession) -> None:
    host, phone, screen = elsewhere.host(), elsewhere.phone(), elsewhere.screen()
    host.get_by_text("+ Add an activity").click()
    host.get_by_role("button", name="A wave").click()
    view_frame(host.locator(".own-editor")).get_by_role("button", name="At all").click()
    view_frame(host.locator(".phone-frame")).get_by_text("Wave at everybody").wait_for()
    assert host.get_by_label("Whom at").input_value() == "everybody"
    host.get_by_label("Whom at").fill("the back row")
    view_frame(host.locator(".preview .stage")).get_by_text("0 people wave at the back row").wait_for()
    screenshot(host, "host-editor-own-type")
    host.get_by_role("button", name="Save").click()
    host.locator(".next", has_text="Start: the back row").click()

    view_frame(phone).get_by_role("button", name="Wave at the back row").click()
    phone.get_by_text("Your answer is in ·").wait_for()
    host.locator(".next", has_text="Close answering").click()
    host.locator(".next", has_text="Show results").click()

    view_frame(screen).get_by_text("1 person waves at the back row").wait_for()
    phone.get_by_role("row", name="Yes").get_by_text("1 · 100 %").wait_for()
    screenshot(phone, "phone-own-type")
    screenshot(screen, "screen-own-type")


def test_a_view_that_throws_leaves_the_page_alive(elsewhere: LiveSession) -> None:
    phone, screen = elsewhere.phone(), elsewhere.screen()
    broken = elsewhere.activity("broken-wave", {"question": "Well?"}, duration_seconds=300)
    phone.get_by_text("This activity cannot be shown here.").wait_for()
    assert phone.get_by_role("timer").is_visible()
    screen.get_by_role("heading", name="Well?").wait_for()
    _answer(elsewhere, broken, {"waved": False})
    elsewhere.call("POST", f"/activities/{broken['id']}/reveal", {"results": True})
    screen.get_by_role("row", name="No 1 · 100 %").wait_for()

    elsewhere.activity("wave", {"question": "us"})

    view_frame(phone).get_by_role("button", name="Wave at us").click()
    phone.get_by_text("Your answer is in ·").wait_for()


def test_a_view_that_uses_earlier_names_of_the_sdk_goes_on_working(elsewhere: LiveSession) -> None:
    phone = elsewhere.phone()
    activity = elsewhere.activity("early-wave", {"question": "us"})

    view = view_frame(phone)
    view.get_by_label("Note").fill("to all")
    view.get_by_text("6 / 12").wait_for()
    view.get_by_text("+2 more").wait_for()
    view.locator("#own").evaluate("(node) => node.append('kept')")
    view.get_by_role("button", name="Wave 1,234 times").click()
    phone.get_by_text("Your answer is in ·").wait_for()

    assert elsewhere.answers(activity) == [{"waved": True}]
    assert "draft" in str(view.locator("[data-taken]").get_attribute("data-taken")).split()
    assert view.locator("#own").inner_text() == "kept"


def test_an_editor_that_throws_is_replaced_by_the_form(elsewhere: LiveSession) -> None:
    host = elsewhere.host()
    host.get_by_text("+ Add an activity").click()
    host.get_by_role("button", name="A broken-wave").click()
    host.get_by_label("Whom at").fill("the moon")
    host.get_by_role("button", name="Save").click()
    host.locator("dialog").wait_for(state="hidden")

    assert elsewhere.call("GET", "/activities")["items"][0]["config"] == {"question": "the moon"}


def _answer(room: LiveSession, activity: dict[str, Any], data: Any) -> None:
    """Answer as another phone would whose view is whole."""
    joined = room.server.call("POST", "/join", {"nickname": "Ben", "code": room.session["join_code"]}, key="another-phone-joins")
    path = f"{room.path}/activities/{activity['id']}/responses"
    room.server.call("POST", path, {"response_data": data}, token=joined["participant_token"])


FAULTS = {
    "throws-in-its-view": ('view() {\n    throw new Error("not today");\n  }', "Error: not today (participant.js:5)"),
    "throws-in-its-constructor": (
        'constructor() {\n    super();\n    throw new RangeError("not now");\n  }\n\n  view() {}',
        "RangeError: not now (participant.js:6)",
    ),
    "throws-when-connected": ("connectedCallback() {\n    null.x;\n  }\n\n  view() {}", "(participant.js:5)"),
    "throws-in-a-setter": (
        'set mine(value) {\n    throw new TypeError("mine");\n  }\n\n  view() {}',
        "TypeError: mine (participant.js:5)",
    ),
    "has-a-syntax-error": ("view( {\n    return 1;\n  }", "(participant.js:5)"),
    "imports-nothing": ('view() {}\n}\nimport { nothing } from "../../sdk/v1.js";\nif (nothing) {', "nothing"),
    "imports-no-file": ('view() {}\n}\nimport "./missing.js";\n{', "imports ./missing.js, which is missing (participant.js:6)"),
}
"""Bodies of views that fail, and what the console says of each beside type, version and view."""

FAULTY = """import { ActivityElement } from "../../sdk/v1.js";

export default class extends ActivityElement {
  %s
}
"""


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("faulty")
    for name in FAULTS:
        whole = FAULTY % "view() {}" + "// as long as the bodies that fail\n" * 9
        put_type(folder / "types" / name, name, {"participant": whole})
    with served(folder / "data", CONFLICTO_ACTIVITY_TYPES=str(folder / "types")) as server:
        yield server


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_has_its_place_in_the_console_log_and_host_page(faulty: Served, browser: Any, name: str) -> None:
    logged: list[str] = []
    with new_session(faulty, browser) as live:
        host, phone = live.host(), live.phone()
        _serve(phone, name, FAULTY % FAULTS[name][0])
        phone.on("console", lambda message: logged.append(message.text))
        live.activity(name, {"question": "Well?"})
        phone.get_by_text("This activity cannot be shown here.").wait_for()
        phone.get_by_label("Your answer as JSON").fill('{"waved": true}')
        phone.get_by_role("button", name="Send").click()
        phone.get_by_text("Your answer is in ·").wait_for()
        banner = host.get_by_text(f"1 phone could not draw A {name} 1: ")
        banner.wait_for()
        words = banner.inner_text()
        if name == "throws-in-its-view":
            screenshot(host, "host-view-fault")
        live.activity("poll", {"question": "Lunch?", "options": [{"id": "a", "text": "Soup"}, {"id": "b", "text": "Pie"}]})
        phone.get_by_label("Soup").wait_for()
        live.errors.clear()
    (fault,) = [each for each in logged if each.startswith(f"{name} 1, participant: ")]
    message, _, place = FAULTS[name][1].rstrip(")").rpartition("(")
    assert FAULTS[name][1] in fault
    assert message.strip() in words
    assert f" at {place if ':' in place else 'participant.js'}" in words
    (line,) = [each for each in faulty.log.read_text("utf-8").splitlines() if "view-failed" in each and f'"{name}"' in each]
    assert '"file":"participant.js"' in line.replace(": ", ":")
    assert "not today" not in line


@pytest.mark.parametrize("name", ["throws-in-its-constructor", "throws-when-connected", "throws-in-a-setter", "has-a-syntax-error"])
def test_a_fault_of_an_included_view_ends_that_view_alone(faulty: Served, browser: Any, name: str) -> None:
    logged: list[str] = []
    with new_session(faulty, browser) as live:
        phone = live.phone()
        _serve(phone, "poll", FAULTY % FAULTS[name][0])
        phone.on("console", lambda message: logged.append(message.text))
        live.activity("poll", {"question": "Lunch?", "options": [{"id": "a", "text": "Soup"}, {"id": "b", "text": "Pie"}]})
        phone.get_by_text("This activity cannot be shown here.").wait_for()
        phone.get_by_label("Your answer as JSON").wait_for()
        live.activity("wall", {"question": "Say"})
        phone.get_by_label("Your text").wait_for()
        live.errors.clear()
    assert [each for each in logged if each.startswith("poll 1, participant: ") and "participant.js" in each]


def test_the_host_sees_the_fault_of_a_preview_with_its_place(faulty: Served, browser: Any) -> None:
    with new_session(faulty, browser) as live:
        host = live.host()
        _serve(host, "throws-in-its-view", FAULTY % FAULTS["throws-in-its-view"][0])
        host.get_by_text("+ Add an activity").click()
        host.get_by_role("button", name="A throws-in-its-view").click()
        host.get_by_role("alert").get_by_text("throws-in-its-view 1, participant: Error: not today (participant.js:5)").wait_for()
        host.get_by_label("Whom at").fill("the moon")
        host.get_by_role("button", name="Save").click()
        host.locator("dialog").wait_for(state="hidden")


def _serve(page: "Page", type_name: str, body: str) -> None:
    """Serve another participant's view: the server leaves out types whose modules do not load."""
    headers = {"content-type": "text/javascript", "access-control-allow-origin": "*"}
    page.context.route(f"**/types/{type_name}/participant.js", lambda route: route.fulfill(headers=headers, body=body))
