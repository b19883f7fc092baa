"""Pages that workers share through Redis."""

from typing import Any

import httpx2
import pytest

from conflicto.app import App
from conflicto.settings import Settings
from tests.support.api import Api, Event, cold, make_event
from tests.support.queries import counted_statements

pytestmark = pytest.mark.in_process


@pytest.fixture
def settings(postgres_database: str, valkey_url: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("conflicto.platform.redis.DEADLINE_S", 5.0)  # a machine that is busy with other tests responds late
    return Settings(
        database_url=postgres_database, redis_url=valkey_url, data_dir=tmp_path, admin_token="the-operator-of-the-tests",
        rate_limits=False, pool_size=4, max_overflow=2,
    )  # fmt: skip


async def story(event: Event) -> list[tuple[str, str]]:
    """Change the session, and return the requests to send afterwards, with their tokens."""
    wall = await event.activity(status="active", response_policy="many", responses_visibility="participants")
    seats = [await event.join(name) for name in ("Anna", "Bert")]
    for number, seat in enumerate(seats * 3):
        assert (await event.answer(wall, seat, {"n": number, "text": 'ü "quoted"\n'})).status_code == 201
    of = f"{event.path}/activities/{wall['id']}/responses/since"
    return [
        (f"{of}/0?limit=4", event.host),
        (f"{of}/0", event.screen),
        (f"{of}/0", seats[0].token),
        (f"{event.path}/changes/since/0", event.host),
    ]


async def read_page(api: Api, path: str, token: str) -> tuple[httpx2.Response, int]:
    with counted_statements(api.app.platform.db) as seen:
        answer = await api.get(path, token)
    return answer, len([statement for statement in seen if "responses" in statement])


@pytest.mark.usefixtures("undisturbed")
async def test_a_page_is_read_once_for_all_workers(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    event = await make_event(Api(app))
    questions = await story(event)
    async with cold(app, monkeypatch) as first, cold(app, monkeypatch) as second:
        for path, token in questions:
            for each in (first, second):
                await each.get(f"{event.path}/status", token)  # the head is loaded
            read, cost = await read_page(first, path, token)
            taken, less = await read_page(second, path, token)
            assert (read.status_code, taken.status_code) == (200, 200)
            assert taken.content == read.content
            assert taken.headers["etag"] == read.headers["etag"]
            assert cost > 0
            assert less == 0
            whole = await event.api.get(path, token)
            assert whole.content == read.content


async def test_foreign_content_in_redis_is_not_sent(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    event = await make_event(Api(app))
    path, token = (await story(event))[0]
    async with cold(app, monkeypatch) as first, cold(app, monkeypatch) as second:
        read = await first.get(path, token)
        redis = app.platform.redis.data
        assert redis is not None
        names = await redis.run(lambda client: client.keys(f"conflicto:{app.platform.identity.epoch}:pages:*"), default=[])
        assert names
        for name in names:
            lie = read.content.replace(b"quoted", b"forged")
            await redis.run(lambda client, name=name, lie=lie: client.set(name, b"\0" * 32 + lie), default=None)
        assert (await second.get(path, token)).content == read.content


async def test_a_change_makes_another_page(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    event = await make_event(Api(app))
    path, token = (await story(event))[1]
    async with cold(app, monkeypatch) as first, cold(app, monkeypatch) as second:
        before = await first.get(path, token)
        item = before.json()["items"][0]
        of_item = f"{event.path}/activities/{item['activity_id']}/responses/{item['id']}"
        assert (await first.delete(of_item, token=event.host)).status_code == 204
        after = await first.get(path, token)
        assert after.json()["count"] == before.json()["count"] - 1
        assert (await second.get(path, token)).content == after.content
