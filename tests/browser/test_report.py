"""Results and downloads of the report page."""

import csv
import io
import json
import re
from typing import Any

import httpx2
import openpyxl
import pytest

from tests.browser.live_session import SCREENSHOTS, LiveSession, screenshot
from tests.browser.samples import SAMPLES
from tests.support.processes import PLAIN

pytestmark = pytest.mark.browser


def answered(live: LiveSession) -> dict[str, Any]:
    """Let Anna and =Bert say something; return the activity."""
    wall = live.activity("wall", {"question": "What would help?"}, title="Help")
    for name, text in (("Anna", "More daylight"), ("=Bert", "=1+1")):
        seat = live.server.call("POST", "/join", {"nickname": name, "code": live.session["join_code"]})
        path = f"{live.path}/activities/{wall['id']}/responses"
        live.server.call("POST", path, {"response_data": {"text": text}}, token=seat["participant_token"])
    return wall


def downloaded(report: Any, button: str) -> tuple[str, bytes]:
    with report.expect_download() as download:
        report.get_by_role("button", name=button).click()
    return download.value.suggested_filename, download.value.path().read_bytes()


def test_the_answers_are_downloaded_in_every_format(live: LiveSession) -> None:
    answered(live)
    report = live.host("/report", color_scheme="dark")

    named, content = downloaded(report, "CSV")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert named == "Town-hall-responses.csv"
    assert [(row[4], row[5]) for row in rows[1:]] == [("Anna", "More daylight"), ("'=Bert", "'=1+1")]

    named, content = downloaded(report, "JSON Lines")
    assert named == "Town-hall-responses.jsonl"
    assert [json.loads(line)["response_data"] for line in content.splitlines()] == [{"text": "More daylight"}, {"text": "=1+1"}]

    report.get_by_label("Each row is").select_option("One participant, a column for each activity")
    named, content = downloaded(report, "Excel (XLSX)")
    table = list(openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True))
    assert named == "Town-hall-table.xlsx"
    assert [(row[1], row[4]) for row in table] == [("nickname", "Help"), ("Anna", "More daylight"), ("=Bert", "=1+1")]
    screenshot(report, "host-report-download")


def test_a_failed_download_explains_why(live: LiveSession) -> None:
    answered(live)
    report = live.host("/report", color_scheme="dark")
    busy = {"code": "export-busy", "title": "Another export is being written", "retry_after_s": 5, "server": live.session["server"]}
    report.route(
        "**/export?*", lambda route: route.fulfill(status=429, content_type="application/problem+json", body=json.dumps(busy))
    )

    report.get_by_role("button", name="CSV").click()

    report.get_by_text("Another download is being written. Try again in 5 seconds.").wait_for()
    report.unroute("**/export?*")
    report.route("**/export?*", lambda route: route.abort())
    report.get_by_role("button", name="CSV").click()
    report.get_by_text("No connection. Try again in a moment.").wait_for()
    report.unroute("**/export?*")
    assert downloaded(report, "CSV")[0] == "Town-hall-responses.csv"


def as_jobs(report: Any, progress: dict[str, Any]) -> None:
    """Write every export as a job, which stays half done until the test continues it."""

    def at_once(route: Any) -> None:
        route.continue_(headers={**route.request.headers, "prefer": "respond-async, wait=0"})

    def look(route: Any) -> None:
        if route.request.method != "GET" or not progress:
            route.continue_()
            return
        found = route.fetch()
        route.fulfill(status=200, json={**found.json(), **progress}, headers={"content-type": "application/json"})

    report.route("**/export?*", at_once)
    report.route(re.compile(r"/exports/[-0-9a-f]+$"), look)


def test_a_long_download_shows_its_progress_and_ends_with_the_file(live: LiveSession) -> None:
    answered(live)
    report = live.host("/report", color_scheme="dark")
    progress: dict[str, Any] = {"status": "running", "responses_read": 412_000, "responses_total": 1_000_000}
    as_jobs(report, progress)

    with report.expect_download() as download, report.expect_request(lambda request: request.method == "DELETE") as removed:
        report.get_by_role("button", name="JSON Lines").click()
        bar = report.get_by_role("progressbar", name="412,000 of 1,000,000 answers")
        bar.wait_for()
        assert (bar.get_attribute("value"), bar.get_attribute("max")) == ("412000", "1000000")
        assert report.get_by_role("button", name="CSV").is_disabled()
        screenshot(report, "host-report-long-download")
        progress.clear()

    content = download.value.path().read_bytes()
    assert download.value.suggested_filename == "Town-hall-responses.jsonl"
    assert [json.loads(line)["response_data"] for line in content.splitlines()] == [{"text": "More daylight"}, {"text": "=1+1"}]
    assert removed.value.response().status == 204
    assert report.get_by_role("progressbar").count() == 0


def test_a_long_download_is_cancelled_and_a_failed_one_is_reported(live: LiveSession) -> None:
    answered(live)
    report = live.host("/report", color_scheme="dark")
    progress: dict[str, Any] = {"status": "running", "responses_read": 1, "responses_total": 2}
    as_jobs(report, progress)

    report.get_by_role("button", name="CSV").click()
    report.get_by_text("1 of 2 answers").wait_for()
    with report.expect_response(lambda answer: answer.request.method == "DELETE") as removed:
        report.get_by_role("button", name="Cancel").click()
    assert removed.value.status == 204
    progress.clear()
    report.get_by_role("button", name="CSV").and_(report.locator(":enabled")).wait_for()
    assert report.locator("#exports [role=alert]").inner_text() == ""

    progress.update(status="failed")
    report.get_by_role("button", name="CSV").click()
    report.get_by_text("The file was not finished, or some of its data was deleted. Start the download again.").wait_for()


def test_only_the_host_gets_a_file(live: LiveSession) -> None:
    answered(live)
    for token in (live.session["screen_token"], None):
        headers = {"authorization": f"Bearer {token}"} if token else {}
        refused = httpx2.get(f"{live.server.url}/api/v1{live.path}/export", headers=headers, **PLAIN)
        assert refused.status_code == (403 if token else 401)


def test_the_report_prints_answers_and_no_controls(live: LiveSession) -> None:
    for name in ("poll", "words", "estimate"):
        config, answer, _, more = SAMPLES[name]
        activity = live.activity(name, config, **more)
        phone = live.phone(nickname=f"For {name}")
        answer(phone)
        phone.get_by_role("button", name="Send").click()
        phone.get_by_text("Your answer is in ·").wait_for()
        live.call("POST", f"/activities/{activity['id']}/transition", {"target_status": "expired"})
    report = live.host("/report", color_scheme="dark")
    report.locator(".card .bars, .card .cloud").first.wait_for()
    report.emulate_media(media="print")

    visible = "(all) => all.filter((each) => each.checkVisibility()).map((each) => each.textContent)"
    assert report.locator("button, select, .top a").evaluate_all(visible) == []
    assert report.locator(".card:has(.bars)").first.is_visible()
    assert report.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    report.screenshot(path=SCREENSHOTS / "report-print.png", full_page=True)
    assert report.pdf(format="A4").startswith(b"%PDF")


def submit(live: LiveSession, activity: dict[str, Any], seat: dict[str, Any], data: Any) -> dict[str, Any]:
    path = f"{live.path}/activities/{activity['id']}/responses"
    found: dict[str, Any] = live.server.call("POST", path, {"response_data": data}, token=seat["participant_token"])
    return found


def joined(live: LiveSession, *names: str) -> list[dict[str, Any]]:
    return [live.server.call("POST", "/join", {"nickname": name, "code": live.session["join_code"]}) for name in names]


def test_the_report_shows_every_round_and_nothing_that_is_hidden_or_held(live: LiveSession) -> None:
    anna, bert = joined(live, "Anna", "Bert")
    wall = live.activity("wall", {"question": "What would help?"})
    submit(live, wall, anna, {"text": "earlier daylight"})
    insult = submit(live, wall, bert, {"text": "frightful insult"})
    at = f"/activities/{wall['id']}"
    live.call("PATCH", f"{at}/responses/{insult['id']}", {"moderation": "hidden"})
    live.call("POST", f"{at}/rounds")
    submit(live, wall, anna, {"text": "later plants"})
    live.call("PATCH", at, {"moderation": "before"})
    submit(live, wall, bert, {"text": "unread waiting"})
    live.call("POST", f"{at}/transition", {"target_status": "expired"})

    report = live.host("/report")
    report.get_by_role("heading", name="Round 2").wait_for()

    text = report.locator("main").evaluate("(main) => main.textContent")
    for word in ("earlier", "daylight", "later", "plants"):
        assert text.count(word) >= 3, f"{word} is a text, in the cloud and in its table"
    for word in ("frightful", "insult", "unread", "waiting"):
        assert word not in text, word
    assert report.get_by_text("1 answer", exact=True).count() >= 2
    report.emulate_media(media="print")
    screenshot(report, "report-rounds-print")


def test_questions_and_votes_are_counted_apart_wherever_people_read(live: LiveSession) -> None:
    seats = joined(live, "Anna", "Bert", "Cleo")
    question = live.activity("questions", {"prompt": "Ask us anything"})
    texts = [submit(live, question, seats[0], {"text": f"Question {number}?"}) for number in range(4)]
    for seat in seats[1:]:
        for each in texts[:3]:
            submit(live, question, seat, {"target": each["id"], "vote": 1})
    for page in (live.screen(), live.host(), live.host("/report")):
        page.get_by_text("4 questions · 6 votes").first.wait_for()
        assert "10 answers" not in page.locator("main").inner_text()


def test_scores_are_shown_completely_or_not_at_all(live: LiveSession) -> None:
    (anna,) = joined(live, "Anna")
    options = [{"id": "a", "text": "Pizza"}, {"id": "b", "text": "Curry"}]
    quiz = live.activity("quiz", {"question": "Hottest?", "options": options}, secret={"correct": "b"}, results_visibility="always")
    submit(live, quiz, anna, {"choice": "b"})
    screen, phone = live.screen(), live.phone("Bert")
    for page in (screen, phone):
        page.locator(".bars").wait_for()
        assert "correct" not in page.locator("main").inner_text().lower()
    live.call("POST", f"/activities/{quiz['id']}/transition", {"target_status": "expired"})
    live.call("POST", f"/activities/{quiz['id']}/reveal", {"results": True})
    screen.get_by_text("1 of 1 was correct").wait_for()
