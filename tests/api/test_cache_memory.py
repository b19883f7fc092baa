"""Memory of cached polls: bounded in bytes, without any effect on the responses."""

import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from conflicto.app import App
from conflicto.feed.pages import MAX_PAGE_BYTES
from conflicto.platform.generations import TICKS
from conflicto.platform.sizes import MIB
from conflicto.settings import Settings
from tests.support.api import Api, Event, Seat, make_event
from tests.support.checks import accepted, refused
from tests.support.wire import connected, get, listening, streamed

ANSWERS, LIMITS = 40, 25
LARGE, PARTS = 15_000, 4
POLL = {"question": "?", "options": [{"id": "a", "text": "Apple"}, {"id": "b", "text": "Pear"}], "multiple": False}


@pytest.fixture
async def small(settings: Settings, app: App) -> AsyncIterator[App]:
    """A server with little cache memory, beside the usual one."""
    few = settings.model_copy(update={"max_cache_mb": 16})
    async with App(few, clock=app.platform.clock).running() as made:
        yield made


async def walled(api: Api, answers: int, size: int) -> tuple[Event, dict[str, Any], Seat]:
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many", responses_visibility="participants")
    anna = await event.join()
    for number in range(answers):
        assert (await event.answer(wall, anna, [number, *["x" * (size // PARTS)] * PARTS])).status_code == 201
    return event, wall, anna


@pytest.mark.in_process
async def test_a_thousand_targets_keep_no_more_than_the_budget(api: Api, small: App) -> None:
    event, wall, anna = await walled(api, ANSWERS, 8_000)
    feed = f"{event.path}/activities/{wall['id']}/responses"
    page = (await api.get(f"{feed}/since/0?limit=1000", token=event.host)).json()
    since = ["0", *(f"{at:016d}" for at in range(int(page["cursor"]) - ANSWERS + 1, int(page["cursor"])))]
    targets = [f"{feed}/since/{at}?limit={limit}" for at in since for limit in range(1, LIMITS + 1)]
    assert len(targets) == 1_000

    async with listening(small) as port, connected(port) as line:
        for target in targets:
            await line.send(get(target, anna.token))
            status, _, body = await line.answer()
            assert status == 200
            if target.endswith(("?limit=1", "?limit=25")):
                assert body == (await api.get(target, token=anna.token)).content
        budget, head = small.platform.budget, small.domain.sessions.cached(event.id)
        maps = [head.responses.events, *head.responses.views.values()]
        held = {id(ready): sys.getsizeof(ready.body) for each in maps for ready in each.values()}
        (account,) = [each for each in budget.accounts if each.name == "responses"]

    assert budget.max_bytes == 16 * MIB
    assert budget.used <= budget.max_bytes
    assert account.evictions > 200
    assert sum(held.values()) <= account.bytes == sum(each.bytes for each in maps)


@pytest.mark.in_process
async def test_spellings_of_one_target_share_one_entry(app: App, api: Api) -> None:
    event = await make_event(api)
    host = event.host
    cursor = (await api.get(f"{event.path}/changes/since/now", token=host)).json()["cursor"]
    since = f"{event.path}/changes/since"
    instant = "2026-11-28T10:00:00Z"
    spelt = [
        f"{since}/{cursor}?limit=007", f"{since}/{cursor}?wait=0&limit=7", f"{since}/{cursor}?limit=7&limit=7",
        f"{since}/{cursor}?%6cimit=7", f"{since}/{cursor[:-1]}%3{cursor[-1]}?limit=7", f"{since}/beginning", f"{since}/{instant}",
        f"{since.replace('sessions/', 'sessions/0')}/{cursor}?limit=7",
    ]  # fmt: skip
    async with listening(app) as port, connected(port) as line:
        answers = set()
        for target in [f"{since}/{cursor}?limit=7", *spelt[:5]]:
            for _ in range(2):
                await line.send(get(target, host))
                answers.add((await line.answer())[2])
        for target in spelt[5:]:
            await line.send(get(target, host))
            await line.answer()
        views = app.domain.sessions.cached(event.id).responses.views.values()
        kept = [target for view in views for target in view if b"changes/since/" in target and b"now" not in target]

    assert len(answers) == 1
    assert kept == [f"/api/v1{since}/{cursor}?limit=7".encode()]


@pytest.mark.parametrize("role", ["host", "screen", "anna"])
async def test_pages_are_bounded_in_bytes_and_lose_nothing(api: Api, role: str) -> None:
    event, wall, anna = await walled(api, 150, LARGE)
    token = {"host": event.host, "screen": event.screen, "anna": anna.token}[role]
    first = (await api.get(f"{event.path}/changes/since/0?limit=1", token=token)).json()["cursor"]
    feeds = [f"{event.path}/changes"] + [f"{event.path}/activities/{wall['id']}/responses"] * (role != "screen")
    for feed in feeds:
        for start in ("0", first):
            items, since, pages = [], start, 0
            while True:
                page = await api.get(f"{feed}/since/{since}?limit=1000", token=token)
                found = page.json()
                assert len(page.content) <= MAX_PAGE_BYTES + 2_000
                items += found["items"]
                pages, since = pages + 1, found["cursor"]
                if not found["has_more"]:
                    break
            texts = [item.get("data", item).get("response_data") for item in items if item.get("entity", "response") == "response"]
            shown = texts if role != "screen" else [text for text in texts if text]
            assert [text[0] for text in shown] == list(range(150) if role != "screen" or shown else [])
            assert pages >= (3 if shown else 1)


@pytest.mark.in_process
async def test_streams_of_large_answers_lose_nothing(app: App, api: Api) -> None:
    event, _, anna = await walled(api, 150, LARGE)
    async with listening(app) as port, streamed(port, f"{event.path}/events?since=0", anna.token) as reader:
        events = await reader.until(150)
        while sum('"entity":"response"' in each["data"] for each in events) < 150:
            events = await reader.until(len(events) + 1)
    assert len({each["id"] for each in events}) == len(events)


async def test_activities_with_large_configs_come_in_several_pages(api: Api) -> None:
    event = await make_event(api)
    for number in range(12):
        assert (await event.activity(config={"texts": ["x" * 4_000] * 50, "number": number}))["id"]
    items, since = [], "0"
    while True:
        page = await api.get(f"{event.path}/changes/since/{since}?limit=1000", token=event.host)
        assert len(page.content) <= MAX_PAGE_BYTES + 2_000
        items += page.json()["items"]
        since = page.json()["cursor"]
        if not page.json()["has_more"]:
            break
    assert [item["data"]["config"]["number"] for item in items if item["entity"] == "activity"] == list(range(12))


@pytest.mark.in_process
async def test_caches_evict_the_oldest_entries_and_never_the_last_session(api: Api) -> None:
    app, events = api.app, [await make_event(api) for _ in range(2)]
    activities = [await event.activity(type="poll", config=POLL, status="active") for event in events]
    for event, activity in zip(events, activities, strict=True):
        accepted(await event.answer(activity, await event.join(), {"choices": ["a"]}), 201)
        accepted(await api.get(f"{event.path}/status", token=event.host))
    app.domain.validator.clear_caches()
    assert not app.domain.validator._evict_oldest()

    while app.domain.sessions._evict():
        pass
    assert len(app.domain.sessions) == 1
    assert not app.domain.sessions._evict()

    for event, activity in zip(events, activities, strict=True):
        accepted(await event.answer(activity, await event.join("Ben"), {"choices": ["a"]}), 201)
        assert accepted(await api.get(f"{event.path}/status", token=event.host))["participant_count"] == 2


@pytest.mark.in_process
async def test_page_is_read_whole_where_memory_never_has_enough(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    event = await make_event(api)
    before = accepted(await api.get(f"{event.path}/changes/since/now", token=event.host))["cursor"]
    await event.activity(status="active")
    path = f"{event.path}/changes/since/{before}"
    whole = accepted(await api.get(path, token=event.host))
    assert whole["items"]
    monkeypatch.setattr("conflicto.feed.poll_handler.PollHandler._changes_in_memory", lambda *_: None)
    monkeypatch.setattr("conflicto.feed.poll_handler.MAX_CONFIG_READS", 1)

    assert accepted(await api.get(f"{path}?limit=50", token=event.host)) == whole


@pytest.mark.in_process
async def test_caches_let_go_of_a_session_that_is_over(api: Api, app: App) -> None:
    event = await make_event(api)
    poll = await event.activity(type="poll", config=POLL, status="active")
    anna = await event.join()
    status = get(f"{event.path}/status", anna.token)
    async with listening(app) as port, connected(port) as line:
        accepted(await event.answer(poll, anna, {"choices": ["a"]}), 201)
        accepted(await api.patch(event.path, {"status": "completed"}, token=event.host))
        for _ in range(3):
            await line.send(status)
            assert (await line.answer())[0] == 200
        accounts = {account.name: account for account in app.platform.budget.accounts}
        filled = {name for name, account in accounts.items() if account.bytes > 0}
        assert {"sessions", "tokens", "passes", "requests", "responses", "checks"} <= filled

        app.platform.clock.advance(301)
        for _ in range(3 * TICKS):
            for account in accounts.values():
                account.age()
        assert {name for name, account in accounts.items() if account.bytes > 0} <= {"codes"}

        await line.send(status)
        code, _, body = await line.answer()
        assert (code, json.loads(body)["status"]) == (200, "completed")
    refused(await event.answer(poll, anna, {"choices": ["b"]}), 409, "activity-not-open")
