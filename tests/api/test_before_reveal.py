"""Observations of participants before results are shown: different answers look alike.

The number of answers and their times are public, as the room sees them anyway. Their content must
not show in any body, length, order, tag, number, or amount of work.
"""

import re
from typing import Any

import pytest

from conflicto.access.roles import Role
from conflicto.platform.db.transaction import ReadTx
from tests.support.api import Api, Event, Seat, make_event
from tests.support.checks import accepted
from tests.support.queries import counted_statements
from tests.support.walking import addresses, walked

PEOPLE = 6
ALIKE = ["Curry", "Curry", "Curry", "Curry", "Curry", "Curry"]
MIXED = ["Curry", "Pizza", "A soup that nobody else thought of", "Pizza", "", "Salad"]
SPEC = {
    "votes": {"path": "", "op": "count"},
    "words": {"path": "", "op": "words"},
    "right": {"path": "", "op": "score", "key": "/right"},
}
BLURRED = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)"), "<instant>"),
    (re.compile(r'(W/)?"[0-9a-f]{24}"'), "<tag>"),
    (re.compile(r'(/requests/|"request_id":")[\w-]{16}(?=")'), "<request>"),
    (re.compile(r"\b\d{6,}\b"), "<number>"),
)
IGNORED_HEADERS = {"x-request-id", "content-length", "date"}
"""Headers that differ with every request, every second, or the length of blurred numbers."""


def blurred(text: str) -> str:
    """Replace values that differ between any two sessions."""
    for pattern, word in BLURRED:
        text = pattern.sub(word, text)
    return text


async def room(api: Api, words: list[str], **fields: Any) -> tuple[Event, dict[str, Any], list[Seat]]:
    """Return a session in which all have responded; the first response is always the same."""
    event = await make_event(api)
    quiz = await event.activity(config={"options": ["Curry", "Pizza"]}, secret={"right": "Curry"}, aggregate=SPEC, status="active",
                                **fields)  # fmt: skip
    seats = [await event.join(f"Person {number}") for number in range(PEOPLE)]
    for seat, word in zip(seats, words, strict=True):
        accepted(await event.answer(quiz, seat, word), 201)
    return event, quiz, seats


async def measured(event: Event, quiz: dict[str, Any], seat: Seat) -> dict[str, tuple[int, str, str]]:
    """Return everything that a participant can read: status, headers and body by route, blurred."""
    known = {
        "session_id": [event.id], "activity_id": [quiz["id"]], "response_id": [],
        "link_id": [], "export_id": [], "participant_id": [seat.id], "code": ["BBBB-BBBB"],
        "timestamp": ["0"], "type": ["quiz"],
    }  # fmt: skip
    sizes = {}
    for route in walked(event.api.app.edge.routes):
        if route.method != "GET" or (route.roles and Role.PARTICIPANT not in route.roles):
            continue
        for path in addresses(route, known):
            answer = await event.api.get(path, token=seat.token)
            headers = sorted((name, blurred(value)) for name, value in answer.headers.items() if name not in IGNORED_HEADERS)
            sizes[route.name] = (answer.status_code, repr(headers), blurred(answer.text))
    return sizes


@pytest.mark.catalogue("A-06")
@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize("shown", [{}, {"responses_visibility": "host", "results_visibility": "after_reveal"}, {"anonymous": True}])
async def test_sessions_with_different_answers_look_alike(undisturbed: None, api: Api, shown: dict[str, Any], ended: bool) -> None:
    rooms = [await room(api, words, **shown) for words in (ALIKE, MIXED)]
    for event, quiz, _ in rooms:
        if ended:
            accepted(await event.move(quiz, "expired"))
    one, other = [await measured(event, quiz, seats[0]) for event, quiz, seats in rooms]

    assert len(one) > 12
    assert one == other


async def worked(event: Event, quiz: dict[str, Any], seat: Seat, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """Return the statements, rows and bytes of each address, first without and then with memory."""
    app, steps, fetch = event.api.app, [], ReadTx.all

    def counted(tx: ReadTx, *args: Any) -> Any:
        rows = fetch(tx, *args)
        steps.append(len(rows))
        return rows

    paths = [event.path, f"{event.path}/activities/{quiz['id']}", f"{event.path}/leaderboard", "/participants/me"]
    paths += [f"{path}/status" for path in paths[:2]] + [
        f"{event.path}/activities",
        f"{paths[1]}/results",
        f"{paths[1]}/responses/mine",
    ]
    paths += [f"{path}/since/0" for path in (f"{event.path}/changes", f"{paths[1]}/responses")]
    work = {}
    with monkeypatch.context() as patch, counted_statements(app.platform.db) as seen:
        patch.setattr(ReadTx, "all", counted)
        for path in paths:
            app.domain.sessions.reset()
            for memory in ("cold", "warm"):
                answer = await event.api.get(path, token=seat.token)
                name = path.replace(str(event.id), "ID").replace(quiz["id"], "AID")
                work[f"{name} {memory}"] = [answer.status_code, len(blurred(answer.text)), list(seen), list(steps)]
                seen.clear()
                steps.clear()
    return work


@pytest.mark.in_process
@pytest.mark.catalogue("A-06")
@pytest.mark.parametrize("shown", [{}, {"responses_visibility": "participants"}])
async def test_rooms_that_answered_differently_make_the_same_work(
    undisturbed: None, api: Api, shown: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Require equal statements, rows and bytes, so that timing reveals little."""
    rooms = [await room(api, words, **shown) for words in (ALIKE, [word or "Nothing" for word in MIXED])]
    one, other = [await worked(event, quiz, seats[0], monkeypatch) for event, quiz, seats in rooms]

    assert sum(len(statements) for _, _, statements, _ in one.values()) > 20
    assert sum(sum(rows) for *_, rows in one.values()) > 20
    if shown:
        assert one != other  # the responses themselves differ in length, and are readable
        one, other = (
            {name: [status, statements, rows] for name, (status, _, statements, rows) in each.items()} for each in (one, other)
        )
    assert one == other


@pytest.mark.catalogue("A-06")
async def test_what_is_measured_does_differ_once_results_are_shown(api: Api) -> None:
    rooms = [await room(api, words, results_visibility="always") for words in (ALIKE, MIXED)]
    one, other = [await measured(event, quiz, seats[0]) for event, quiz, seats in rooms]

    assert one != other
