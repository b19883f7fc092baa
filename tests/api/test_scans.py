"""Lists with a `contains` filter: cost, concurrency, and cancellation with the caller."""

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest

from conflicto.app import App
from conflicto.platform.db.transaction import ReadTx
from conflicto.platform.row_batch import RowBatch
from conflicto.responses.queries import MAX_PATTERN_VALUES
from tests.support.api import Api, Event, make_event
from tests.support.checks import eventually
from tests.support.patience import PATIENCE_S
from tests.support.wire import connected, get, listening


def of(event: Event, activity: dict[str, Any], below: str = "") -> str:
    return f"{event.path}/activities/{activity['id']}/responses{below}"


@pytest.fixture
async def port(app: App) -> AsyncIterator[int]:
    async with listening(app) as at:
        yield at


class Slow:
    """A fake filter that runs until its deadline."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.ended = threading.Semaphore(0)
        self.released = threading.Event()

    def response_page(self, tx: ReadTx, *args: Any, **kwargs: Any) -> tuple[RowBatch[Any], None]:
        self.begun.release()
        try:
            while not self.released.wait(0.001):
                tx.deadline.check()
        finally:
            self.ended.release()
        return RowBatch([]), None

    async def has(self, what: threading.Semaphore) -> None:
        assert await asyncio.to_thread(what.acquire, timeout=PATIENCE_S)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    made = Slow()
    monkeypatch.setattr("conflicto.responses.http.response_page", made.response_page)
    return made


async def walled(api: Api) -> tuple[Event, dict[str, Any]]:
    event = await make_event(api)
    return event, await event.activity(status="active", response_policy="many")


@pytest.mark.parametrize(
    ("pattern", "status"),
    [
        ("[" + ",".join(["1"] * (MAX_PATTERN_VALUES - 1)) + "]", 200),
        ("[" + ",".join(["1"] * MAX_PATTERN_VALUES) + "]", 422),
        ("{" + ",".join(f'"{n}":1' for n in range(MAX_PATTERN_VALUES)) + "}", 422),
        ("[" + ",".join(['{"a":1}'] * 150) + "]", 422),
        ("[" * 17 + "[1,2]" + "]" * 17, 200),
        ("[" + ",".join(["[[]]"] * 20) + "]", 422),
    ],
)
async def test_patterns_have_a_bound(api: Api, pattern: str, status: int) -> None:
    event, wall = await walled(api)
    found = await api.get(of(event, wall, f"?contains={quote(pattern)}"), token=event.host)
    assert found.status_code == status
    if status != 200:
        assert found.json()["code"] == "pattern-too-large"
        assert str(MAX_PATTERN_VALUES) in (await api.get("/problems/pattern-too-large")).json()["description"]


@pytest.mark.parametrize("answers", [20, pytest.param(100, marks=pytest.mark.timed)])
async def test_what_was_an_attack_ends_at_a_count_of_comparisons(api: Api, answers: int) -> None:
    """Responses of a thousand objects each, and the most expensive pattern, without a match."""
    event, wall = await walled(api)
    anna = await event.join()
    for _ in range(answers):
        await event.answer(wall, anna, [{"a": number} for number in range(1_000)])
    pattern = quote("[" + ",".join(f'{{"a":{number}}}' for number in [*range(986, 1_000), 5_000]) + "]")

    found = await api.get(of(event, wall, f"?contains={pattern}"), token=event.host)

    if answers == 100 and api.app.platform.db.dialect.name == "sqlite":
        assert (found.status_code, found.json()["code"]) == (422, "scan-too-long")
    else:
        assert (found.status_code, found.json()["items"]) == (200, [])


async def test_one_filter_of_a_token_and_two_of_all_run_at_once(api: Api, slow: Slow) -> None:
    places = [await walled(api) for _ in range(3)]

    def start_read(number: int, query: str = "?contains=1") -> asyncio.Task[Any]:
        event, wall = places[number]
        return asyncio.create_task(api.get(of(event, wall, query), token=event.host))

    running = [start_read(0)]
    await slow.has(slow.begun)
    again = await start_read(0)
    running.append(start_read(1))
    await slow.has(slow.begun)
    third = await start_read(2)

    assert (again.status_code, again.json()["code"]) == (429, "scan-running")
    assert (third.status_code, third.json()["code"]) == (503, "scans-busy")
    assert again.headers["retry-after"]
    assert third.headers["retry-after"]
    event, _ = places[2]
    assert (await api.get(event.path, token=event.host)).status_code == 200
    assert (await api.get("/health/ready")).status_code == 200

    slow.released.set()
    assert [(await each).status_code for each in running] == [200, 200]
    assert (await start_read(2)).status_code == 200


@pytest.mark.catalogue("C-09")
async def test_a_filter_ends_when_its_caller_goes_away(api: Api, port: int, slow: Slow) -> None:
    event, wall = await walled(api)
    for _ in range(5):
        async with connected(port) as line:
            await line.send(get(of(event, wall, "?contains=1"), event.host))
            await slow.has(slow.begun)
        await slow.has(slow.ended)

    async def is_idle() -> bool:
        return not api.app.platform.db._running

    await eventually(is_idle)
    slow.released.set()
    assert (await api.get(of(event, wall, "?contains=1"), token=event.host)).status_code == 200
