"""Faults of views reach the host and the log, within bounds and without texts of people."""

from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from conflicto.activities.view_faults import logged_places, model
from conflicto.activities.view_faults.logged_places import MAX_LOGGED_AGE_S, MAX_LOGGED_OF_PAGE, LoggedPlaces
from conflicto.activities.view_faults.model import MAX_AGE_S, MAX_FAULTS, MAX_FAULTS_OF_PAGE, FaultPlace, ViewFault, ViewFaults
from tests.support.api import Api, make_event
from tests.support.checks import accepted, refused
from tests.support.clocks import HandClock

FAULT: dict[str, Any] = {
    "type": "questions", "version": "1", "view": "participant", "error": "TypeError", "message": "Anna is no option",
    "file": "participant.js", "line": 4,
}  # fmt: skip


def place(**fields: Any) -> FaultPlace:
    return FaultPlace(**{name: value for name, value in (FAULT | fields).items() if name != "message"})


def lines_of(faults: ViewFaults, session_id: int = 1) -> list[int]:
    return [each.place.line for each in faults.of_session(session_id)]


@pytest.fixture
def logged() -> Iterator[list[EventDict]]:
    with capture_logs() as lines:
        yield lines


async def test_the_host_reads_how_many_pages_could_not_draw_a_view(api: Api, logged: list[EventDict]) -> None:
    event, elsewhere = await make_event(api), await make_event(api)
    path = f"{event.path}/view-faults"
    phones = [await event.join(name) for name in ("Anna", "Bert")]
    for token in (phones[0].token, phones[0].token, phones[1].token, event.host):
        accepted(await api.post(path, FAULT, token=token), 204)
    accepted(await api.post(path, FAULT | {"view": "screen", "file": "order.js"}, token=event.screen), 204)

    items = accepted(await api.get(path, event.host))["items"]

    assert [(each["view"], each["file"], each["pages"]) for each in items] == [
        ("participant", "participant.js", 2), ("screen", "order.js", 1),
    ]  # fmt: skip
    assert items[0]["message"] == "Anna is no option"
    assert accepted(await api.get(f"{elsewhere.path}/view-faults", elsewhere.host)) == {"items": []}
    refused(await api.get(path, phones[0].token), 403, "role-not-allowed")
    lines = [each for each in logged if each["event"] == "view-failed"]
    assert [(each["view"], each["type"], each["version"], each["error"], each["line"]) for each in lines] == [
        ("participant", "questions", "1", "TypeError", 4), ("screen", "questions", "1", "TypeError", 4),
    ]  # fmt: skip
    assert "Anna" not in repr(lines)


@pytest.mark.parametrize(
    "change",
    [
        {"file": "../secrets.js"}, {"file": 'a.js"\n{"event":"forged"}'}, {"file": "/a.js"}, {"error": "a b"}, {"view": "Phone"},
        {"view": "editor"}, {"type": "poll", "view": "screen"}, {"line": -1}, {"message": "x" * 301}, {"more": 1},
    ],
)  # fmt: skip
async def test_a_report_has_bounded_fields(api: Api, logged: list[EventDict], change: dict[str, Any]) -> None:
    event = await make_event(api)

    refused(await api.post(f"{event.path}/view-faults", FAULT | change, token=event.screen), 422, "invalid-input")
    refused(await api.post(f"{event.path}/view-faults", FAULT | {"version": "9"}, token=event.screen), 404, "not-found")

    assert accepted(await api.get(f"{event.path}/view-faults", event.host)) == {"items": []}
    assert [each for each in logged if each["event"] == "view-failed"] == []


async def test_the_refusal_of_a_view_names_those_of_the_type(api: Api) -> None:
    event = await make_event(api)

    problem = refused(
        await api.post(f"{event.path}/view-faults", FAULT | {"view": "anna"}, token=event.screen), 422, "invalid-input"
    )

    assert problem["errors"] == [{"pointer": "/view", "message": "must be a view of questions 1: participant, screen"}]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"file": "LeakedAnswerText-497.js", "line": 7}, {"file": "participant.js", "line": 0}),
        ({"view": "screen", "file": "editor.js"}, {"view": "screen", "file": "screen.js", "line": 0}),
        ({"file": "order.js", "line": 9}, {"file": "order.js", "line": 9}),
        ({"file": "order.js", "line": 10}, {"file": "order.js", "line": 0}),
        ({"error": "LeakedAnswerText"}, {"error": "Error"}),
        ({"error": "Stopped"}, {"error": "Stopped"}),
    ],
)  # fmt: skip
async def test_only_values_that_the_type_has_are_kept(
    api: Api, logged: list[EventDict], change: dict[str, Any], found: dict[str, Any]
) -> None:
    event = await make_event(api)
    accepted(await api.post(f"{event.path}/view-faults", FAULT | change, token=event.screen), 204)

    expected = {**FAULT, **found}

    assert accepted(await api.get(f"{event.path}/view-faults", event.host))["items"] == [{**expected, "pages": 1}]
    (line,) = [each for each in logged if each["event"] == "view-failed"]
    assert {name: line.get(name) for name in place()._fields} == place(**expected)._asdict()


async def test_one_seat_hides_no_fault_of_others(api: Api, logged: list[EventDict]) -> None:
    event = await make_event(api)
    path = f"{event.path}/view-faults"
    anna, bert = [await event.join(name) for name in ("Anna", "Bert")]
    for line in range(1, MAX_LOGGED_OF_PAGE + 5):
        accepted(await api.post(path, FAULT | {"line": line, "message": f"of Anna {line}"}, token=anna.token), 204)
    accepted(await api.post(path, FAULT | {"line": 50, "message": "first"}, token=bert.token), 204)
    accepted(await api.post(path, FAULT | {"line": 50, "message": "second"}, token=event.screen), 204)

    items = accepted(await api.get(path, event.host))["items"]

    assert [(each["line"], each["message"], each["pages"]) for each in items] == [
        *((line, f"of Anna {line}", 1) for line in range(1, MAX_FAULTS_OF_PAGE + 1)), (50, "first", 2),
    ]  # fmt: skip
    assert [each["line"] for each in logged if each["event"] == "view-failed"] == [*range(1, MAX_LOGGED_OF_PAGE + 1), 50]


def test_a_session_holds_few_faults_and_forgets_them(clock: HandClock) -> None:
    faults = ViewFaults(clock)
    for line in range(MAX_FAULTS):
        faults.add(1, place(line=line), "no", f"page {line}")
    faults.add(1, place(), "no", "anna")
    assert lines_of(faults) == list(range(MAX_FAULTS))

    clock.advance(MAX_AGE_S - 1)
    faults.add(2, place(), "no", "anna")
    clock.advance(2)

    assert (faults.of_session(1), faults.of_session(2)) == ([], [ViewFault(place(), "no", 1)])


def test_the_fault_with_the_fewest_pages_makes_room(clock: HandClock) -> None:
    faults = ViewFaults(clock)
    faults.add(1, place(line=0), "no", "bert")
    for line in range(MAX_FAULTS):
        faults.add(1, place(line=line), "no", f"page {line}")

    faults.add(1, place(line=99), "no", "anna")

    assert lines_of(faults) == [0, *range(2, MAX_FAULTS), 99]


def test_a_forgotten_fault_frees_the_room_of_its_pages(clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "MAX_REPORTERS", 2)
    monkeypatch.setattr(model, "MAX_FAULTS", 2)
    faults = ViewFaults(clock)
    for line in range(3):
        faults.add(1, place(line=line), "no", f"page {line}")

    assert [(each.place.line, each.pages) for each in faults.of_session(1)] == [(1, 1), (2, 1)]


def test_the_session_with_the_oldest_report_makes_room(clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "MAX_REPORTERS", 3)
    faults = ViewFaults(clock)
    for session, page in ((1, "anna"), (2, "anna"), (1, "bert"), (1, "cleo"), (1, "dora")):
        faults.add(session, place(), "no", page)

    assert (faults.of_session(1), faults.of_session(2)) == ([ViewFault(place(), "no", 3)], [])


def test_each_place_is_logged_once_an_hour(clock: HandClock) -> None:
    logged = LoggedPlaces(clock)

    assert [logged.add(each, 1, "anna") for each in (place(), place(), place(line=5))] == [True, False, True]
    clock.advance(MAX_LOGGED_AGE_S + 1)
    assert [logged.add(place(), 1, "anna") for _ in range(2)] == [True, False]


def test_a_full_log_opens_again_within_an_hour(clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logged_places, "MAX_LOGGED", 2)
    logged = LoggedPlaces(clock)
    for line in range(2):
        assert logged.add(place(line=line), line, "anna")
        clock.advance(60)

    assert not logged.add(place(line=7), 3, "bert")
    clock.advance(MAX_LOGGED_AGE_S - 100)

    assert [logged.add(place(line=line), 3, "bert") for line in (7, 8)] == [True, False]


def test_no_page_and_no_session_fills_the_log(clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logged_places, "MAX_LOGGED_OF_PAGE", 2)
    monkeypatch.setattr(logged_places, "MAX_LOGGED_OF_SESSION", 3)
    logged = LoggedPlaces(clock)
    reports = [(1, "anna"), (1, "anna"), (1, "anna"), (1, "bert"), (1, "cleo"), (2, "anna")]

    added = [logged.add(place(line=line), *report) for line, report in enumerate(reports)]

    assert added == [True, True, False, True, False, True]
