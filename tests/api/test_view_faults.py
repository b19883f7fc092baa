"""Faults of views reach the host and the log, within bounds and without texts of people."""

from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from conflicto.activities.view_faults import model
from conflicto.activities.view_faults.model import MAX_AGE_S, MAX_FAULTS, ViewFault, ViewFaults
from tests.support.api import Api, make_event
from tests.support.checks import accepted, refused
from tests.support.clocks import HandClock

FAULT: dict[str, Any] = {
    "type": "poll", "version": "1", "view": "participant", "error": "TypeError", "message": "Anna is no option", "file": "participant.js",
    "line": 4,
}  # fmt: skip


def fault(**fields: Any) -> ViewFault:
    return ViewFault(**FAULT | fields)


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
    accepted(await api.post(path, FAULT | {"view": "screen", "file": "parts/bars.js"}, token=event.screen), 204)

    items = accepted(await api.get(path, event.host))["items"]

    assert [(each["view"], each["file"], each["pages"]) for each in items] == [
        ("participant", "participant.js", 2), ("screen", "parts/bars.js", 1),
    ]  # fmt: skip
    assert items[0]["message"] == "Anna is no option"
    assert accepted(await api.get(f"{elsewhere.path}/view-faults", elsewhere.host)) == {"items": []}
    refused(await api.get(path, phones[0].token), 403, "role-not-allowed")
    lines = [each for each in logged if each["event"] == "view-failed"]
    assert [(each["view"], each["type"], each["version"], each["error"], each["line"]) for each in lines] == [
        ("participant", "poll", "1", "TypeError", 4), ("screen", "poll", "1", "TypeError", 4),
    ]  # fmt: skip
    assert "Anna" not in repr(lines)


@pytest.mark.parametrize(
    "change",
    [
        {"file": "../secrets.js"}, {"file": 'a.js"\n{"event":"forged"}'}, {"file": "/a.js"}, {"error": "a b"}, {"view": "Phone"},
        {"line": -1}, {"message": "x" * 301}, {"more": 1},
    ],
)  # fmt: skip
async def test_a_report_has_bounded_fields(api: Api, logged: list[EventDict], change: dict[str, Any]) -> None:
    event = await make_event(api)

    refused(await api.post(f"{event.path}/view-faults", FAULT | change, token=event.screen), 422, "invalid-input")
    refused(await api.post(f"{event.path}/view-faults", FAULT | {"version": "9"}, token=event.screen), 404, "not-found")

    assert accepted(await api.get(f"{event.path}/view-faults", event.host)) == {"items": []}
    assert [each for each in logged if each["event"] == "view-failed"] == []


def test_a_session_holds_few_faults_and_forgets_them(clock: HandClock) -> None:
    faults = ViewFaults(clock)
    for line in range(MAX_FAULTS + 5):
        faults.add(1, fault(line=line), "anna")
    assert [each.line for each, _ in faults.of_session(1)] == list(range(MAX_FAULTS))

    clock.advance(MAX_AGE_S - 1)
    faults.add(2, fault(), "anna")
    clock.advance(2)

    assert (faults.of_session(1), faults.of_session(2)) == ([], [(fault(), 1)])


def test_the_session_with_the_oldest_report_makes_room(clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "MAX_REPORTERS", 3)
    faults = ViewFaults(clock)
    for session, page in ((1, "anna"), (2, "anna"), (1, "bert"), (1, "cleo"), (1, "dora")):
        faults.add(session, fault(), page)

    assert (faults.of_session(1), faults.of_session(2)) == ([(fault(), 3)], [])


def test_each_place_is_logged_once_and_at_most_so_many(clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "MAX_LOGGED", 2)
    faults = ViewFaults(clock)

    first = [faults.is_first(each) for each in (fault(), fault(message="Bert"), fault(line=5), fault(line=6), fault())]

    assert first == [True, False, True, False, False]
