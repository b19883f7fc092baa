"""Long-poll: changes wake the callers that may see them, and waits are bounded."""

import asyncio
from typing import Any

import httpx2
import pytest

from conflicto.app import App
from conflicto.settings import Settings
from tests.support.api import Api, Event, make_event
from tests.support.checks import accepted, eventually, refused
from tests.support.patience import PATIENCE_S
from tests.support.queries import counted_statements
from tests.support.wire import connected, get, listening


async def waiting(api: Api, number: int = 1) -> None:
    async def so_many() -> bool:
        return api.app.edge.long_poll.waiting == number

    await eventually(so_many)


async def cursor_of(event: Event, token: str) -> str:
    cursor: str = accepted(await event.api.get(f"{event.path}/changes/since/now", token=token))["cursor"]
    return cursor


@pytest.mark.catalogue("O-06")
async def test_a_change_ends_the_wait_with_one_page_for_a_burst(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.session_state.notifier.DEBOUNCE_S", 0.3)  # three responses may take three commits
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many")
    anna = await event.join()
    cursor = await cursor_of(event, event.host)

    wait = asyncio.create_task(api.get(f"{event.path}/changes/since/{cursor}?wait=20", token=event.host))
    await waiting(api)
    sent = await asyncio.gather(*(event.answer(wall, anna, number) for number in range(3)))
    answer = await wait

    assert answer.headers["preference-applied"] == "wait=20"
    assert {item["id"] for item in answer.json()["items"]} == {each.json()["id"] for each in sent}
    assert api.app.edge.long_poll.waiting == 0


async def test_status_waits_while_its_tag_holds(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    anna = await event.join()

    async def held(path: str, token: str) -> asyncio.Task[httpx2.Response]:
        tag = (await api.get(path, token=token)).headers["etag"]
        headers = {"if-none-match": tag, "prefer": "respond-async, wait=20"}
        return asyncio.create_task(api.get(path, token=token, headers=headers))

    phone = await held(f"{event.path}/status", anna.token)
    host = await held(f"{event.path}/activities/{poll['id']}/status", event.host)
    await waiting(api, 2)
    await event.answer(poll, anna, 1)
    counted = await host
    assert not phone.done()
    await event.move(poll, "expired")
    moved = await phone

    assert (counted.json()["response_count"], moved.json()["current_activity_id"]) == (1, None)
    for answer in (counted, moved):
        assert (answer.status_code, answer.headers["preference-applied"]) == (200, "wait=20")


@pytest.mark.catalogue("D-09")
async def test_without_changes_the_wait_ends_with_the_callers_cursor(api: Api) -> None:
    event = await make_event(api)
    cursor = await cursor_of(event, event.host)
    status = await api.get(f"{event.path}/status", token=event.host)

    page = accepted(await api.get(f"{event.path}/changes/since/{cursor}?wait=1", token=event.host))
    again = await api.get(f"{event.path}/status?wait=1", token=event.host, headers={"if-none-match": status.headers["etag"]})

    assert (page["items"], page["cursor"]) == ([], cursor)
    assert (again.status_code, again.headers["preference-applied"]) == (304, "wait=1")


async def test_a_reader_behind_the_newest_change_is_answered_at_once(api: Api) -> None:
    event = await make_event(api)
    await api.patch(event.path, {"status": "completed"}, token=event.host)
    cursor = await cursor_of(event, event.host)

    for path in ("/status?wait=20", "/changes/since/0?wait=20", f"/changes/since/{cursor}?wait=20"):
        answer = await asyncio.wait_for(api.get(event.path + path, token=event.host), PATIENCE_S)
        assert answer.status_code == 200


@pytest.mark.catalogue("D-09")
async def test_a_change_between_looking_and_waiting_is_not_slept_through(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    event = await make_event(api)
    cursor = await cursor_of(event, event.host)
    endpoints = next(route.endpoint for route in api.app.edge.routes if route.path.endswith("/changes/since/{timestamp}"))
    polls: Any = endpoints.__self__.polls
    look = polls.changes
    looked = 0

    async def look_and_miss(call: Any, head: Any) -> Any:
        """Return a response from before the change, as to a reader who was a moment too early."""
        nonlocal looked
        looked += 1
        answer = await look(call, head)
        if looked == 1:
            await api.post(f"{event.path}/lock", token=event.host)
        return answer

    monkeypatch.setattr(polls, "changes", look_and_miss)
    page = await asyncio.wait_for(api.get(f"{event.path}/changes/since/{cursor}?wait=20", token=event.host), PATIENCE_S)

    assert [item["entity"] for item in page.json()["items"]] == ["session"]
    assert looked == 2


async def test_answers_of_others_wake_no_participant(api: Api) -> None:
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many")
    anna, bert = await event.join("Anna"), await event.join("Bert")
    cursor = await cursor_of(event, bert.token)

    wait = asyncio.create_task(api.get(f"{event.path}/changes/since/{cursor}?wait=20", token=bert.token))
    await waiting(api)
    await event.answer(wall, anna, 1)
    await asyncio.sleep(0.1)
    assert not wait.done()
    await api.post(f"{event.path}/lock", token=event.host)
    assert [item["entity"] for item in (await wait).json()["items"]] == ["session"]


@pytest.mark.usefixtures("undisturbed")
async def test_waiting_holds_no_connection_and_sends_nothing(api: Api) -> None:
    event = await make_event(api)
    seats = [await event.join(f"Guest {number}") for number in range(30)]
    await api.post(f"{event.path}/lock", token=event.host)
    cursor = await cursor_of(event, seats[0].token)
    for seat in seats:
        await api.get(f"{event.path}/changes/since/{cursor}", token=seat.token)

    with counted_statements(api.app.platform.db) as seen:
        path = f"{event.path}/changes/since/{cursor}?wait=20"
        waits = [asyncio.create_task(api.get(path, token=seat.token)) for seat in seats]
        await waiting(api, 30)
        assert seen == []
        accepted(await asyncio.wait_for(api.get(f"{event.path}/participants", token=event.host), PATIENCE_S))
        before = len(seen)
        await api.post(f"{event.path}/lock", {"locked": False}, token=event.host)
        pages = await asyncio.gather(*waits)

    assert {page.content for page in pages} == {pages[0].content}
    assert len(pages[0].json()["items"]) == 1
    reads = [statement for statement in seen[before:] if "FROM activities" in statement or "FROM responses" in statement]
    assert reads == []


async def test_over_the_cap_a_wait_is_an_ordinary_poll(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.feed.long_poll.MAX_WAITING_PER_TOKEN", 1)
    event = await make_event(api)
    cursor = await cursor_of(event, event.host)
    path = f"{event.path}/changes/since/{cursor}?wait=20"

    wait = asyncio.create_task(api.get(path, token=event.host))
    await waiting(api)
    for _ in range(2):
        answer = await asyncio.wait_for(api.get(path, token=event.host), PATIENCE_S)
        assert (answer.status_code, "preference-applied" in answer.headers) == (200, False)
    await api.post(f"{event.path}/lock", token=event.host)
    assert (await wait).json()["count"] == 1


async def test_a_kick_ends_the_wait(api: Api) -> None:
    event = await make_event(api)
    anna = await event.join()
    cursor = await cursor_of(event, anna.token)

    wait = asyncio.create_task(api.get(f"{event.path}/changes/since/{cursor}?wait=20", token=anna.token))
    await waiting(api)
    await api.delete(f"/participants/{anna.id}", token=event.host)

    refused(await asyncio.wait_for(wait, PATIENCE_S), 401, "token-invalid")


async def test_whoever_goes_away_frees_their_place(app: App, api: Api) -> None:
    event = await make_event(api)
    cursor = await cursor_of(event, event.host)
    async with listening(app) as port:
        async with connected(port) as line:
            await line.send(get(f"{event.path}/changes/since/{cursor}?wait=20", event.host))
            await waiting(api)
        await waiting(api, 0)


@pytest.mark.parametrize("wait", ["-1", "1.5", "x", "", "9999999", "%D9%A1", "1e3"])
async def test_a_wait_that_is_no_number_is_refused(api: Api, wait: str) -> None:
    event = await make_event(api)
    for path in ("/status", "/changes/since/0"):
        problem = refused(await api.get(f"{event.path}{path}?wait={wait}", token=event.host), 422, "invalid-input")
        assert problem["errors"][0]["pointer"] == "/query/wait"


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [("wait=10", 10), ("WAIT = 7", 7), ('wait="3"', 3), ("return=minimal, wait=9999", 25), ("wait=0", None), ("waiting=5", None),
     ("wait=x", None), ("await=5", None), ("wait" + " " * 20_000 + "=5", None)],
)  # fmt: skip
async def test_preferences_are_read_generously(api: Api, prefer: str, seconds: int | None) -> None:
    event = await make_event(api)
    answer: httpx2.Response = await api.get(f"{event.path}/status", token=event.host, headers={"prefer": prefer})
    assert answer.headers.get("preference-applied") == (f"wait={seconds}" if seconds else None)


async def test_several_waits_of_one_bearer_all_receive_it(api: Api) -> None:
    event = await make_event(api)
    cursor = await cursor_of(event, event.host)
    path = f"{event.path}/changes/since/{cursor}?wait=20"

    waits = [asyncio.create_task(api.get(path, token=event.host)) for _ in range(3)]
    await waiting(api, 3)
    waits.pop().cancel()
    await waiting(api, 2)
    await api.post(f"{event.path}/lock", token=event.host)

    assert [answer.json()["count"] for answer in await asyncio.gather(*waits)] == [1, 1]
    await waiting(api, 0)


async def test_each_header_comes_once_to_those_who_may_not_wait_too(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send one content length: Node.js and aiohttp refuse two, even if they are equal.

    `Api` checks every response for this.
    """
    event = await make_event(api)
    path = f"{event.path}/changes/since/0?wait=20"
    waited = await api.get(path, token=event.host)
    monkeypatch.setattr("conflicto.feed.long_poll.MAX_WAITING", 0)
    unwaited = await api.get(path, token=event.host)

    for answer in (waited, unwaited):
        assert [value for name, value in answer.headers.multi_items() if name == "content-length"] == [str(len(answer.content))]
    assert set(waited.headers) - set(unwaited.headers) == {"preference-applied"}


async def test_link_of_a_waited_page_lies_below_the_prefix_once(settings: Settings) -> None:
    below = settings.model_copy(update={"public_url": "https://x.org/live"})
    async with App(below).running() as app:
        event = await make_event(Api(app))
        page = await event.api.get(f"{event.path}/changes/since/0?wait=20", token=event.host)

    assert page.headers["link"].startswith("</live/api/v1/sessions/")
