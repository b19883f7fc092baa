"""Lookups of join codes: from memory while a session is in use, and never stale."""

import asyncio
from typing import Any

import pytest

from conflicto.session_state import join_code_cache
from tests.support.api import Api, Event, make_event
from tests.support.checks import accepted, refused

pytestmark = pytest.mark.in_process


@pytest.fixture
async def event(api: Api) -> Event:
    return await make_event(api)


@pytest.fixture
def reads(api: Api, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every read of the database from now on."""
    queries: list[Any] = []
    read = api.app.platform.db.read

    async def counted(query: Any, *args: Any, **kwargs: Any) -> Any:
        queries.append(query)
        return await read(query, *args, **kwargs)

    monkeypatch.setattr(type(api.app.platform.db), "read", lambda _, query, *args, **kwargs: counted(query, *args, **kwargs))
    return queries


async def test_a_large_audience_looks_its_code_up_once(event: Event, reads: list[Any]) -> None:
    """A lookup without a token costs no more than a poll."""
    for _ in range(20):
        for typed in (event.code, event.code.lower().replace("-", " ")):
            assert accepted(await event.api.get(f"/sessions/by-code/{typed}"))["session_id"] == event.id

    assert len(reads) <= 2, "the lookup, and the read of its session"


async def test_a_name_is_looked_up_with_one_read(event: Event, reads: list[Any]) -> None:
    await event.join("Anna")
    accepted(await event.api.get(f"/sessions/by-code/{event.code}"))
    reads.clear()

    query = f"nickname=Anna&code={event.code}"
    assert accepted(await event.api.get(f"{event.path}/nicknames/validate?{query}"))["available"] is False
    assert len(reads) == 1


async def test_memory_returns_the_current_state(event: Event) -> None:
    api = event.api
    path = f"/sessions/by-code/{event.code}"
    accepted(await api.get(path))
    accepted(await api.patch(event.path, {"title": "Another name"}, token=event.host))
    assert accepted(await api.get(path))["title"] == "Another name"

    renewed = accepted(await api.post(f"{event.path}/join-code", token=event.host))["join_code"]
    refused(await api.get(path), 404, "code-unknown")
    path = f"/sessions/by-code/{renewed}"
    assert accepted(await api.get(path))["session_id"] == event.id
    accepted(await api.patch(event.path, {"status": "completed"}, token=event.host))
    refused(await api.get(path), 404, "code-unknown")

    other = await make_event(api)
    accepted(await api.get(f"/sessions/by-code/{other.code}"))
    accepted(await api.delete(other.path, token=other.host), 204)
    refused(await api.get(f"/sessions/by-code/{other.code}"), 404, "code-unknown")


async def test_names_are_tried_in_their_own_session(event: Event) -> None:
    other = await make_event(event.api)
    for path, query, problem in (
        (event.path, f"nickname=Anna&code={other.code}", (404, "code-unknown")),
        (event.path, "nickname=Anna", (422, "invalid-input")),
        (event.path, f"nickname={'x' * 200}&code={event.code}", (422, "invalid-input")),
        (event.path, f"nickname=Anna&code={event.code}&nick=1", (422, "invalid-input")),
    ):
        problem_document = refused(await event.api.get(f"{path}/nicknames/validate?{query}"), *problem)
        assert all(each["pointer"].startswith("/query") for each in problem_document.get("errors", ()))


async def test_remembered_codes_are_bounded(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join_code_cache, "MAX_CODES", 2)
    lookup = join_code_cache.JoinCodeCache(api.app.platform.db, api.app.domain.sessions)
    for _ in range(4):
        made = await make_event(api)
        assert (await lookup.find(made.code)).id == made.id
    assert len(lookup._session_ids) == 2


async def test_a_large_audience_that_arrives_at_once_looks_its_code_up_once(event: Event, reads: list[Any]) -> None:
    answers = await asyncio.gather(*(event.api.get(f"/sessions/by-code/{event.code}") for _ in range(200)))

    assert {accepted(answer)["session_id"] for answer in answers} == {event.id}
    assert len(reads) <= 3, "the first lookup, the shared lookup of all others, and the read of their session"
