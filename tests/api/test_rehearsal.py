"""Rehearsals: scripted participants join, answer every activity, and leave no trace."""

import asyncio
import csv
import io
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from conflicto.activity_types.registry import load_registry
from conflicto.activity_types.response_generator.generator import ResponseGenerator
from conflicto.app import App
from conflicto.platform.problems import Unavailable
from conflicto.settings import Settings
from tests.support.api import Api, Event, make_event
from tests.support.patience import PATIENCE_S

pytestmark = pytest.mark.usefixtures("quick")

BUILT_IN = [each.name for each in load_registry().all()]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scale one second to ten milliseconds for scripted participants."""
    monkeypatch.setattr("conflicto.rehearsal.simulation.TIME_SCALE", 0.01)
    monkeypatch.setattr("conflicto.rehearsal.timing.SILENT_PROBABILITY", 0.0)


async def until(found: Callable[[], Awaitable[Any]]) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not (value := await found()):
        assert time.monotonic() < deadline, value
        await asyncio.sleep(0.05)
    return value


async def begin(event: Event, **fields: Any) -> Any:
    return await event.api.post(f"{event.path}/rehearsal", fields, token=event.host)


async def look(event: Event) -> dict[str, Any]:
    answer = await event.api.get(f"{event.path}/rehearsal", event.host)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def people(event: Event) -> list[dict[str, Any]]:
    return (await event.api.get(f"{event.path}/participants?limit=1000", event.host)).json()["items"]


async def answers(event: Event, activity: dict[str, Any]) -> list[dict[str, Any]]:
    return (await event.api.get(f"{event.path}/activities/{activity['id']}/responses?limit=1000", event.host)).json()["items"]


async def filled(event: Event, count: int, **fields: Any) -> None:
    """Start a rehearsal and wait until all have joined."""
    assert (await begin(event, participants=count, **fields)).status_code == 201

    async def all_in() -> bool:
        return (await look(event))["participants"] == count

    await until(all_in)


async def answered_by(event: Event, activity: dict[str, Any], people: int) -> list[dict[str, Any]]:
    """Return the responses once `people` participants have sent some."""

    async def enough() -> list[dict[str, Any]] | None:
        found = await answers(event, activity)
        return found if len({each["participant_id"] for each in found}) >= people else None

    return await until(enough)


@pytest.mark.parametrize("name", BUILT_IN)
async def test_every_type_is_answered_as_a_room_would(api: Api, name: str) -> None:
    kind = api.app.domain.types.get(name)
    event = await make_event(api)
    await filled(event, 12)
    example = kind.examples[-1]
    activity = await event.activity(
        type=name, config=example["config"], secret=example.get("secret"), status="active", duration_seconds=3600
    )

    found = await answered_by(event, activity, 10)

    check = kind.response_validator(json.dumps(example["config"]))
    assert all(check.is_valid(each["response_data"]) for each in found)


async def test_scripted_participants_are_distinguished(api: Api) -> None:
    event = await make_event(api)
    await event.join("Anna")
    await filled(event, 5)

    found = await people(event)

    assert [each["nickname"] for each in found if not each["scripted"]] == ["Anna"]
    assert len({each["nickname"] for each in found}) == 6
    assert {each["presence"] for each in found} == {"online"}
    assert await look(event) == {"participants": 5, "is_playing": True, "skipped": []}


async def test_a_download_marks_bots_too(api: Api) -> None:
    event = await make_event(api)
    anna = await event.join("Anna")
    await filled(event, 3)
    poll, secret = [
        await event.activity(title=title, type="custom", anonymous=title == "Secret", min_group=1) for title in ("Poll", "Secret")
    ]
    for activity in (poll, secret):
        await event.move(activity, "active")
        await event.answer(activity, anna, 7)
        if activity is poll:
            await answered_by(event, activity, 4)
        else:
            await event.move(activity, "expired")

    async def lines(query: str) -> str:
        return (await api.get(f"{event.path}/export?{query}", event.host)).content.decode("utf-8-sig")

    rows = list(csv.DictReader(io.StringIO(await lines("format=csv"))))
    assert Counter(each["scripted"] for each in rows if each["activity"] == "Poll") == {"false": 1, "true": 3}
    assert {each["scripted"] for each in rows if each["activity"] == "Secret"} == {""}
    here = list(csv.DictReader(io.StringIO(await lines("format=csv&shape=table"))))
    assert [each["nickname"] for each in here if each["scripted"] == "false"] == ["Anna"]
    assert sum(each["scripted"] == "true" for each in here) == 3
    for shape in ("responses", "table"):
        found = [json.loads(line) for line in (await lines(f"format=jsonl&shape={shape}")).splitlines()]
        assert {each["nickname"]: each["scripted"] for each in found if each["scripted"] is not True} == {"Anna": False, None: None}
        assert sum(each["scripted"] is True for each in found) == 3


async def test_removing_leaves_the_room_as_it_was(api: Api) -> None:
    event = await make_event(api)
    anna = await event.join("Anna")
    await filled(event, 6)
    poll = await event.activity(
        type="poll", config={"question": "?", "options": [{"id": "a", "text": "A"}, {"id": "b", "text": "B"}]}, status="active"
    )
    own = (await event.answer(poll, anna, {"choices": ["a"]})).json()
    found = await answered_by(event, poll, 5)
    kicked = next(each for each in found if each["participant_id"] != anna.id)["participant_id"]
    await api.delete(f"/participants/{kicked}", event.host)

    removed = await api.delete(f"{event.path}/rehearsal", event.host)

    assert removed.status_code == 204
    assert [each["id"] for each in await answers(event, poll)] == [own["id"]]
    assert [each["nickname"] for each in await people(event)] == ["Anna"]
    assert await look(event) == {"participants": 0, "is_playing": False, "skipped": []}
    counted = (await api.get(f"{event.path}/activities/{poll['id']}/results", event.host)).json()
    assert (counted["response_count"], counted["results"]["choices"]["values"]) == (1, [{"value": "a", "count": 1}])
    assert "Anna" in (await api.get(f"{event.path}/export?format=csv&shape=table", event.host)).text
    assert (await begin(event, participants=1)).status_code == 201


async def test_a_further_round_is_answered_again(api: Api) -> None:
    event = await make_event(api)
    await filled(event, 6)
    story = await event.activity(type="poker", config={"story": "?", "deck": ["1", "2", "3", "5", "8", "?"]}, status="active")
    await answered_by(event, story, 5)

    await api.post(f"{event.path}/activities/{story['id']}/rounds", {}, token=event.host)

    async def again() -> bool:
        return len([each for each in await answers(event, story) if each["round"] == 2]) >= 5

    await until(again)


async def test_what_nobody_registered_is_answered_as_others_did(api: Api) -> None:
    event = await make_event(api)
    anna = await event.join("Anna")
    await filled(event, 4)
    riddle = await event.activity(type="riddle", config={"any": ["thing"]}, status="active")

    async def is_skipped() -> bool:
        return (await look(event))["skipped"] == [riddle["id"]]

    await until(is_skipped)
    assert await answers(event, riddle) == []
    await event.answer(riddle, anna, {"guess": [1, 2]})

    found = await answered_by(event, riddle, 4)
    assert {json.dumps(each["response_data"]) for each in found} == {'{"guess": [1, 2]}'}
    assert (await look(event))["skipped"] == []


PICK = {
    "activity.json": {"type": "pick", "version": "1", "title": "Pick", "icon": "P", "sdk": "1"},
    "config.schema.json": {"type": "object", "properties": {"options": {"type": "array", "items": {"type": "string"}}}},
    "response.schema.json": {"type": "object", "required": ["pick"], "properties": {"pick": {"x-in": "/options/*"}}},
}


@pytest.fixture
async def with_pick(settings: Settings, tmp_path: Path) -> AsyncIterator[Api]:
    """A server with a type whose list of options may be empty."""
    (tmp_path / "pick").mkdir()
    for file, content in PICK.items():
        (tmp_path / "pick" / file).write_text(json.dumps(content))
    async with App(settings.model_copy(update={"activity_types": (tmp_path,)})).running() as app:
        yield Api(app)


async def test_an_activity_without_a_valid_answer_is_skipped_and_named(with_pick: Api) -> None:
    event = await make_event(with_pick)
    await filled(event, 4)
    empty = await event.activity(type="pick", config={"options": []}, status="active")

    async def is_skipped() -> bool:
        return (await look(event))["skipped"] == [empty["id"]]

    await until(is_skipped)
    assert await answers(event, empty) == []
    full = await event.activity(type="pick", config={"options": ["a", "b"]}, status="active")
    found = await answered_by(event, full, 3)
    assert {each["response_data"]["pick"] for each in found} <= {"a", "b"}
    assert (await look(event))["is_playing"]


@pytest.mark.parametrize("method", ["for_activity", "generate"])
async def test_an_error_in_one_type_leaves_the_others_rehearsed(
    with_pick: Api, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    working = getattr(ResponseGenerator, method)
    failing: list[bool] = []

    def fail_for_pick(*args: Any, **kwargs: Any) -> Any:
        subject = args[0] if method == "for_activity" else args[0]._activity_type
        if subject.name == "pick":
            failing.append(True)
            raise IndexError
        return working(*args, **kwargs)

    monkeypatch.setattr(ResponseGenerator, method, staticmethod(fail_for_pick) if method == "for_activity" else fail_for_pick)
    event = await make_event(with_pick)
    await filled(event, 3)
    broken = await event.activity(type="pick", config={"options": ["a"]}, status="active")

    async def is_skipped() -> bool:
        return (await look(event))["skipped"] == [broken["id"]]

    await until(is_skipped)
    assert failing
    wall = await event.activity(type="wall", config={"question": "?"}, status="active")
    await answered_by(event, wall, 2)


async def test_bots_write_in_the_language_of_the_session(api: Api) -> None:
    event = await make_event(api)
    await filled(event, 4, language="de")
    wall = await event.activity(type="wall", config={"question": "?"}, status="active")

    found = await answered_by(event, wall, 3)

    phrases = api.app.domain.types.get("wall").rehearsal_hints.phrases["de"]
    assert {each["response_data"]["text"] for each in found} <= set(phrases)


async def test_most_bots_answer_a_quiz_correctly(api: Api) -> None:
    event = await make_event(api)
    await filled(event, 40)
    options = [{"id": each, "text": each} for each in "abcd"]
    quiz = await event.activity(type="quiz", config={"question": "?", "options": options}, secret={"correct": "c"}, status="active")

    found = await answered_by(event, quiz, 38)

    right = sum(each["response_data"] == {"choice": "c"} for each in found)
    assert len(found) / 3 < right < len(found)


async def test_a_lobby_fills_before_the_session_opens(api: Api) -> None:
    event = await make_event(api, active=False)

    await filled(event, 3)

    await event.open()
    poll = await event.activity(type="rating", config={"question": "?", "min": 1, "max": 5}, status="active")
    await answered_by(event, poll, 2)


async def test_the_end_of_the_time_and_of_the_session_ends_the_play(api: Api) -> None:
    event, over = await make_event(api), await make_event(api)
    await filled(event, 2, seconds=1)
    await filled(over, 2)

    async def rests(which: Event) -> bool:
        return not (await look(which))["is_playing"]

    await until(lambda: rests(event))
    await api.patch(over.path, {"status": "completed"}, token=over.host)
    await until(lambda: rests(over))

    assert (await look(event))["participants"] == (await look(over))["participants"] == 2
    assert (await api.delete(f"{over.path}/rehearsal", over.host)).status_code == 204
    assert await people(over) == []
    assert (await begin(over)).json()["code"] == "session-completed"


async def test_one_rehearsal_at_a_time(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    event, other = await make_event(api), await make_event(api)
    monkeypatch.setattr("conflicto.rehearsal.manager.MAX_REHEARSALS", 1)
    await filled(event, 1)

    again, elsewhere = await begin(event), await begin(other)
    await api.delete(f"{event.path}/rehearsal", event.host)

    assert (again.status_code, again.json()["code"]) == (409, "rehearsal-there")
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (503, "too-many-rehearsals")
    assert (await begin(other)).status_code == 201


@pytest.mark.parametrize("fields", [{"participants": 0}, {"participants": 201}, {"seconds": 7_201}, {"language": "Deutsch"}])
async def test_what_is_no_rehearsal_is_refused(api: Api, fields: dict[str, Any]) -> None:
    event = await make_event(api)

    assert (await begin(event, **fields)).status_code == 422


async def test_the_play_goes_on_without_who_was_removed(api: Api) -> None:
    event = await make_event(api)
    await filled(event, 5)
    pulse = await event.activity(type="pulse", config={"emojis": ["👍", "😮"]}, status="active")
    for each in (await people(event))[:3]:
        await api.delete(f"/participants/{each['id']}", event.host)
    stays = {each["id"] for each in await people(event)}

    await event.move(pulse, "expired")
    poll = await event.activity(type="rating", config={"question": "?", "min": 1, "max": 5}, status="active")

    found = await answered_by(event, poll, 2)
    assert {each["participant_id"] for each in found} == stays
    assert (await look(event))["is_playing"]


async def test_nobody_takes_a_name_that_is_taken_or_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.rehearsal.traits.NAMES", ("Anna", "Bert"))
    monkeypatch.setattr("conflicto.rehearsal.traits.INITIALS", "X")
    event = await make_event(api)
    await api.patch(event.path, {"word_filter": {"mode": "hold", "languages": [], "words": ["bert"]}}, token=event.host)
    await event.join("Anna")

    await filled(event, 1)

    assert [each["nickname"] for each in await people(event)] == ["Anna", "Anna X."]


async def test_the_play_goes_on_after_the_database_was_away(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    event = await make_event(api)
    await filled(event, 2)
    failed = asyncio.Event()

    async def away(*args: Any, **kwargs: Any) -> Any:
        failed.set()
        raise Unavailable

    with monkeypatch.context() as patch:
        patch.setattr(api.app.domain.sessions, "find", away)
        await asyncio.wait_for(failed.wait(), PATIENCE_S)

    poll = await event.activity(type="rating", config={"question": "?", "min": 1, "max": 5}, status="active")
    await answered_by(event, poll, 2)


async def test_a_server_that_stops_ends_the_play_and_keeps_the_seats(api: Api) -> None:
    event = await make_event(api)
    await filled(event, 2)

    api.app.domain.rehearsals.close()

    async def rests() -> bool:
        return not (await look(event))["is_playing"]

    await until(rests)
    assert (await look(event))["participants"] == 2


async def test_a_full_room_takes_as_many_as_there_are_places(api: Api) -> None:
    event = await make_event(api, max_participants=3)
    await event.join("Anna")
    assert (await begin(event, participants=10)).status_code == 201

    async def is_full() -> bool:
        return len(await people(event)) == 3

    await until(is_full)
    assert (await look(event))["participants"] == 2
