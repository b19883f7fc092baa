"""Streams of the fast path against those of the slow path: the same events, byte for byte.

Each caller has two streams, and each change arrives on both before the next one.
"""

import asyncio
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from conflicto.app import App
from conflicto.settings import Settings
from tests.properties.test_session_machine import template
from tests.support import databases
from tests.support.api import Api, Event, Seat, make_event
from tests.support.patience import PATIENCE_S
from tests.support.wire import EventReader, connected, listening

PEOPLE = 3
PICK = st.integers(0, 1000)
WHO = st.integers(0, PEOPLE - 1)
SEEN_BY = st.sampled_from(["host", "screen", "participants"])
DATA = st.sampled_from([1, "two\nlines\r\n\u2028", {"k": [1, 2]}])


class Twin:
    """One caller with a stream on each path."""

    def __init__(self, app: App, port: int, path: str, token: str) -> None:
        self.app, self.port, self.path, self.token = app, port, path, token
        self.opened = AsyncExitStack()
        self.streams: list[EventReader] = []

    async def open(self) -> None:
        """Open both streams, after the last events that were received."""
        received = [stream.received for stream in self.streams] or [None, None]
        await self.opened.aclose()
        self.streams = []
        for fast_path, earlier in zip((self.app.edge.fast_path, None), received, strict=True):
            self.app.edge.connections.fast_path = fast_path
            line = await self.opened.enter_async_context(connected(self.port))
            lines = [f"last-event-id: {earlier.last}"] if earlier and earlier.last else []
            self.streams.append(await EventReader(line, earlier).open(self.path, self.token, *lines))

    async def read_to(self, cursor: str) -> None:
        """Read both streams up to a position, and compare them."""
        for stream in self.streams:
            while (stream.received.last or "") < cursor:
                assert await stream.part()
        fast, slow = (stream.received.events for stream in self.streams)
        assert fast == slow

    async def to_end(self) -> None:
        """Read both streams to their ends, and compare them."""
        fast, slow = [(await stream.to_end()).events for stream in self.streams]
        assert fast == slow


class FanOutMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr("conflicto.feed.streams.MAX_SILENCE_S", 0.05)
        self.folder = tempfile.TemporaryDirectory(prefix="conflicto-machine-")
        self.loop = asyncio.new_event_loop()
        path = Path(self.folder.name)
        self.settings = Settings(
            database_url=databases.sqlite_copy(template()[0], path), data_dir=path, admin_token="the-operator-of-the-tests",
            rate_limits=False,
        )  # fmt: skip
        self.stack = AsyncExitStack()
        self.twins: dict[str, Twin] = {}
        self.activities: list[dict[str, Any]] = []
        self.answers: list[tuple[str, str]] = []

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(work, 3 * PATIENCE_S))

    @initialize()
    def begin(self) -> None:
        self.do(self._begin())

    async def _begin(self) -> None:
        self.app = await self.stack.enter_async_context(App(self.settings).running())
        self.app.edge.connections.fast_path = None
        port = await self.stack.enter_async_context(listening(self.app))
        self.api = Api(self.app)
        self.event: Event = await make_event(self.api)
        self.seats: list[Seat] = [await self.event.join(f"P{number}") for number in range(PEOPLE)]
        await self._make("active", "participants")
        events = f"{self.event.path}/events?since=0"
        tokens = {"host": self.event.host, "screen": self.event.screen} | {seat.nickname: seat.token for seat in self.seats}
        self.twins = {name: Twin(self.app, port, events, token) for name, token in tokens.items()}
        wall = f"{self.event.path}/activities/{self.activities[0]['id']}/responses/since/0"
        self.twins["answers"] = Twin(self.app, port, wall, self.event.host)
        for twin in self.twins.values():
            await twin.open()

    def teardown(self) -> None:
        self.do(self._end())
        self.loop.close()
        self.folder.cleanup()
        self.patch.undo()

    async def _end(self) -> None:
        for twin in self.twins.values():
            await twin.opened.aclose()
        await self.api.http.aclose()
        await self.stack.aclose()

    async def _make(self, status: str, seen_by: str) -> None:
        self.activities.append(
            await self.event.activity(status=status, response_policy="many", responses_visibility=seen_by, title="new")
        )

    def _host(self, method: str, path: str, body: Any = None) -> None:
        answer = self.do(self.api.request(method, path, token=self.event.host, **({} if body is None else {"json": body})))
        assert answer.status_code < 500, answer.text

    @invariant()
    def both_paths_send_the_same(self) -> None:
        for twin in self.twins.values():
            path = f"{self.event.path}/changes/since/now"
            cursor = self.do(self.api.get(path, token=twin.token)).json()["cursor"]
            if twin.path.endswith("responses/since/0"):
                cursor = max((at for _, at in self.answers), default="")
            self.do(twin.read_to(cursor))

    @precondition(lambda self: len(self.activities) < 4)
    @rule(status=st.sampled_from(["draft", "published", "active"]), seen_by=SEEN_BY)
    def make(self, status: str, seen_by: str) -> None:
        self.do(self._make(status, seen_by))

    @rule(pick=PICK, title=st.sampled_from(["a", "b", "line\nbreak"]))
    def edit(self, pick: int, title: str) -> None:
        activity = self.activities[pick % len(self.activities)]
        self._host("PATCH", f"{self.event.path}/activities/{activity['id']}", {"title": title})

    @rule(title=st.sampled_from(["a", "b"]))
    def edit_session(self, title: str) -> None:
        self._host("PATCH", self.event.path, {"title": title})

    @rule(pick=PICK, who=WHO, data=DATA)
    def answer(self, pick: int, who: int, data: Any) -> None:
        self.do(self._answer(self.activities[pick % len(self.activities)], who, data))

    @rule(data=DATA, title=st.sampled_from(["c", "d"]))
    def all_answer_and_the_host_edits(self, data: Any, title: str) -> None:
        for who in range(PEOPLE):
            self.do(self._answer(self.activities[0], who, data))
        self.edit(0, title)

    async def _answer(self, activity: dict[str, Any], who: int, data: Any) -> None:
        sent = await self.event.answer(activity, self.seats[who], data)
        if sent.status_code == 201 and activity is self.activities[0]:
            page = await self.api.get(f"{self.event.path}/changes/since/now", token=self.event.host)
            self.answers.append((sent.json()["id"], page.json()["cursor"]))

    @precondition(lambda self: self.answers)
    @rule(pick=PICK, moderation=st.sampled_from(["hidden", "visible"]))
    def moderate(self, pick: int, moderation: str) -> None:
        answer, _ = self.answers[pick % len(self.answers)]
        self._host(
            "PATCH", f"{self.event.path}/activities/{self.activities[0]['id']}/responses/{answer}", {"moderation": moderation}
        )

    @rule(name=st.sampled_from(["host", "screen", "answers", "P0", "P1", "P2"]))
    def reconnect(self, name: str) -> None:
        if name in self.twins:
            self.do(self.twins[name].open())

    @precondition(lambda self: "P2" in self.twins)
    @rule()
    def remove_a_participant(self) -> None:
        self._host("DELETE", f"/participants/{self.seats[2].id}")
        self.do(self.twins.pop("P2").to_end())

    @precondition(lambda self: "screen" in self.twins)
    @rule()
    def rotate_tokens(self) -> None:
        answer = self.do(self.api.delete(f"{self.event.path}/tokens", token=self.event.host))
        assert answer.status_code == 200, answer.text
        for name in ("host", "screen", "answers"):
            self.do(self.twins.pop(name).to_end())
        self.event.host = answer.json()["host_token"]

    @rule()
    def forget(self) -> None:
        """Drop the session from memory, as under memory pressure."""

        async def drop() -> None:
            self.app.domain.sessions._drop(self.event.id)

        self.do(drop())


# Shrinking starts the app hundreds of times: a failure would appear after minutes.
WALK = settings(stateful_step_count=20, phases=(Phase.explicit, Phase.reuse, Phase.generate), deadline=None)


@pytest.mark.catalogue("D-04", "D-05")
def test_both_paths_send_the_same_events(walks: int) -> None:
    run_state_machine_as_test(FanOutMachine, settings=settings(WALK, max_examples=walks))
