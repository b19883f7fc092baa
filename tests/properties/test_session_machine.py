"""A whole session against its model: both agree on every action, across restarts."""

import asyncio
import functools
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from conflicto.app import App
from conflicto.settings import Settings
from tests.support import databases
from tests.support.api import Api, Event, Seat, make_event
from tests.support.feed_reader import Follower, drain
from tests.support.model import Answer, Model

PEOPLE = 3
DATA = st.sampled_from([None, 1, "a", {"k": [1, 2]}, [[]]])
WHO = st.integers(0, PEOPLE - 1)
KEYS = st.sampled_from(["k1", "k2", "k3"])
PICK = st.integers(0, 1000)


@functools.cache
def template() -> tuple[Path, Any]:
    folder = tempfile.TemporaryDirectory(prefix="conflicto-machine-")
    return databases.sqlite_template(Path(folder.name)), folder


class SessionMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="conflicto-machine-")
        self.loop = asyncio.new_event_loop()
        path = Path(self.folder.name)
        self.settings = Settings(
            database_url=self.database(path), data_dir=path, admin_token="the-operator-of-the-tests", rate_limits=False
        )
        self.model = Model()
        self.keys = 0
        self._open()

    def database(self, folder: Path) -> str:
        """Return the URL of an empty database."""
        return databases.sqlite_copy(template()[0], folder)

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def _open(self) -> None:
        self.running = App(self.settings).running()
        self.api = Api(self.do(self.running.__aenter__()))

    def _close(self) -> None:
        self.do(self.api.http.aclose())
        self.do(self.running.__aexit__(None, None, None))

    def teardown(self) -> None:
        self._close()
        self.loop.close()
        self.folder.cleanup()

    @initialize()
    def begin(self) -> None:
        self.event: Event = self.do(make_event(self.api))
        self.seats: list[Seat] = [self.do(self.event.join(f"P{number}")) for number in range(PEOPLE)]
        self._make("many", "active")
        self.readers = [Follower(self.api, self.event.path, token) for token in (self.event.host, self.seats[0].token)]

    # Actions --------------------------------------------------------------------------------------

    def _activity(self, pick: int) -> str:
        return list(self.model.status)[pick % len(self.model.status)]

    def _path(self, activity: str, below: str) -> str:
        return f"{self.event.path}/activities/{activity}/{below}"

    def _host(self, method: str, path: str, body: Any = None) -> int:
        answer = self.do(self.api.request(method, path, token=self.event.host, **({} if body is None else {"json": body})))
        return answer.status_code

    def _make(self, policy: str, status: str) -> None:
        made = self.do(self.event.activity(status=status, response_policy=policy))["id"]
        self.model.policy[made], self.model.status[made], self.model.round[made] = policy, "published", 1
        if status == "active":
            self.model.move(made, "active")

    @precondition(lambda self: len(self.model.status) < 4 and not self.model.completed)
    @rule(policy=st.sampled_from(["one", "first", "many"]), status=st.sampled_from(["published", "active"]))
    def make(self, policy: str, status: str) -> None:
        self._make(policy, status)

    @rule(pick=PICK, to=st.sampled_from(["active", "active", "expired"]))
    def move(self, pick: int, to: str) -> None:
        activity = self._activity(pick)
        assert self._host("POST", self._path(activity, "transition"), {"target_status": to}) == self.model.move(activity, to)

    @rule(pick=PICK)
    def submit_again(self, pick: int) -> None:
        activity = self._activity(pick)
        assert self._host("POST", self._path(activity, "rounds")) == self.model.again(activity)

    @rule(pick=PICK, who=WHO, data=DATA, key=KEYS)
    def answer(self, pick: int, who: int, data: Any, key: str) -> None:
        self._answer(self._activity(pick), who, data, key)

    @precondition(lambda self: "active" in self.model.status.values())
    @rule(data=DATA)
    def everyone_answers_twice(self, data: Any) -> None:
        running = next(activity for activity, status in self.model.status.items() if status == "active")
        for who in range(PEOPLE):
            for _ in range(2):
                self.keys += 1
                self._answer(running, who, data, f"own-{self.keys}")

    def _answer(self, activity: str, who: int, data: Any, key: str) -> None:
        path, token = self._path(activity, "responses"), self.seats[who].token
        sent = self.do(self.api.post(path, {"response_data": data}, token=token, headers={"idempotency-key": key}))
        status, expected = self.model.submit(activity, who, data, key)

        assert sent.status_code == status, sent.text
        if expected is not None:
            expected.id = expected.id or sent.json()["id"]
            assert self._shown(expected).items() <= sent.json().items()

    @staticmethod
    def _shown(answer: Answer) -> dict[str, Any]:
        return {
            "id": answer.id,
            "revision": answer.revision,
            "deleted": answer.deleted,
            "response_data": answer.data,
            "round": answer.round,
        }

    @precondition(lambda self: self.model.answers)
    @rule(pick=PICK, data=DATA)
    def edit(self, pick: int, data: Any) -> None:
        answer = self.model.answers[pick % len(self.model.answers)]
        path = self._path(answer.activity, f"responses/{answer.id}")
        put = self.do(self.api.put(path, {"response_data": data}, token=self.seats[answer.who].token))
        same = (
            self.model.status[answer.activity] == "active"
            and self.model.round[answer.activity] == answer.round
            and answer.data == data
        )
        if answer.deleted:
            assert put.status_code == 404
        elif same or self.model.is_open_to_its_author(answer):
            if not same:
                self.model.change(answer, data=data)
            assert (put.status_code, self._shown(answer).items() <= put.json().items()) == (200, True)
        else:
            assert put.status_code == 409

    @precondition(lambda self: self.model.answers)
    @rule(pick=PICK, as_host=st.booleans())
    def delete(self, pick: int, as_host: bool) -> None:
        answer = self.model.answers[pick % len(self.model.answers)]
        token = self.event.host if as_host else self.seats[answer.who].token
        deleted = self.do(self.api.delete(self._path(answer.activity, f"responses/{answer.id}"), token=token))
        allowed = not self.model.completed if as_host else self.model.is_open_to_its_author(answer)
        assert deleted.status_code == (404 if answer.deleted else 204 if allowed else 409)
        if deleted.status_code == 204:
            self.model.change(answer, deleted=True)

    @rule(pick=PICK)
    def reset(self, pick: int) -> None:
        activity = self._activity(pick)
        status = self._host("POST", self._path(activity, "reset"))
        assert status == (409 if self.model.completed else 204)
        if status == 204:
            for answer in self.model.live(activity, self.model.round[activity]):
                self.model.change(answer, deleted=True)

    @precondition(lambda self: len(self.model.answers) > 3 and not self.model.completed)
    @rule()
    def complete(self) -> None:
        assert self._host("PATCH", self.event.path, {"status": "completed"}) == self.model.complete()

    @rule()
    def restart(self) -> None:
        self._close()
        self._open()
        self.event.api = self.api
        for reader in self.readers:
            reader.api = self.api

    # Observations ---------------------------------------------------------------------------------

    @invariant()
    def counts_and_pages_agree(self) -> None:
        for activity, round_number in self.model.round.items():
            status = self.do(self.api.get(self._path(activity, "status"), token=self.event.host)).json()
            live = self.model.live(activity, round_number)
            assert (status["status"], status["round"]) == (self.model.status[activity], round_number)
            assert (status["response_count"], status["last_response_at"] is None) == (len(live), not live)
            items, _ = self.do(drain(self.api, self._path(activity, "responses"), "0", self.event.host, limit=4))
            assert [(each["id"], each["revision"], each["response_data"]) for each in items if not each["deleted"]] == [
                (each.id, each.revision, each.data) for each in self.model.live(activity)
            ]

    @rule(limit=st.sampled_from([1, 2, 5, None]))
    def read_on(self, limit: int | None) -> None:
        for reader, who in zip(self.readers, (None, 0), strict=True):
            self.do(reader.poll(limit))
            listed = {key: data["response_data"] for (entity, key), data in reader.state.items() if entity == "response"}
            assert listed == {each.id: each.data for each in self.model.answers if not each.deleted and who in {None, each.who}}
            running = [key for (entity, key), data in reader.state.items() if entity == "activity" and data["status"] == "active"]
            assert running == [key for key, status in self.model.status.items() if status == "active"]
            assert reader.repeats == 0


# Shrinking starts the app hundreds of times: a failure would appear after five minutes instead of
# at once.
WALK = settings(stateful_step_count=25, phases=(Phase.explicit, Phase.reuse, Phase.generate))


@pytest.mark.catalogue("C-01", "C-11")
def test_session_machine(walks: int) -> None:
    run_state_machine_as_test(SessionMachine, settings=settings(WALK, max_examples=walks))


@pytest.mark.catalogue("C-11")
def test_session_machine_on_postgres(walks: int, postgres_database: str) -> None:
    class OnPostgres(SessionMachine):
        def database(self, folder: Path) -> str:
            databases.empty_postgres(postgres_database)
            return postgres_database

    run_state_machine_as_test(OnPostgres, settings=settings(WALK, max_examples=max(1, walks // 3)))
