"""The fold rule: a client that applies all pages has the state that a fresh client reads."""

import os
from random import Random
from typing import Any

import pytest

from tests.support.api import Api, Event, Seat, make_event
from tests.support.feed_reader import AnswerFollower, Follower

STEPS = 60
LOOK_EVERY = 12
SEEDS = range(int(os.environ.get("WALK_SEEDS", "2")))
"""Seeds of the walks. For more: `WALK_SEEDS=100 pytest tests/api/test_feed_fold.py`."""


class Walk:
    """A random walk of a session through every kind of command, refusals included."""

    def __init__(self, event: Event, rng: Random) -> None:
        self.event, self.rng = event, rng
        self.activities: list[str] = []
        self.seats: list[Seat] = []
        self.responses: list[tuple[str, str, Seat]] = []
        self.done: dict[str, int] = {}
        self.number = 0

    async def step(self) -> None:
        name = self.rng.choices(list(KINDS), weights=list(KINDS.values()))[0]
        answer = await getattr(self, "_" + name)()
        if answer is not None:
            assert answer.status_code < 500, answer.text
            self.done[name] = self.done.get(name, 0) + (answer.status_code < 300)

    def _host(self, method: str, below: str, body: Any = None) -> Any:
        return self.event.api.request(method, below, token=self.event.host, **({} if body is None else {"json": body}))

    def _activity(self) -> str:
        return f"{self.event.path}/activities/{self.rng.choice(self.activities)}"

    async def _make(self) -> Any:
        fields = {
            "type": "lunch",
            "status": self.rng.choice(["draft", "published", "active", "active"]),
            "response_policy": self.rng.choice(["one", "many", "first"]),
            "responses_visibility": self.rng.choice(["host", "screen", "participants"]),
            "moderation": self.rng.choice(["off", "after", "before"]),
            "anonymous": self.rng.random() < 0.2,
            "secret": {"n": self.number},
        }
        answer = await self._host("POST", self.event.path + "/activities", fields)
        self.activities.append(answer.json()["id"])
        return answer

    async def _move(self) -> Any:
        to = self.rng.choices(["draft", "published", "active", "expired"], weights=[1, 2, 6, 1])[0]
        return await self._host("POST", self._activity() + "/transition", {"target_status": to})

    async def _control(self) -> Any:
        verb, body = self.rng.choice([("rounds", {}), ("reset", None), ("extend", {"seconds": 5}), ("reveal", {"results": True}),
                                      ("reveal", {"secret": True}), ("reveal", {"results": False, "secret": False})])  # fmt: skip
        return await self._host("POST", f"{self._activity()}/{verb}", body)

    async def _edit(self) -> Any:
        self.number += 1
        change = self.rng.choice([{"title": f"T{self.number}"}, {"moderation": self.rng.choice(["off", "after", "before"])},
                                  {"responses_visibility": self.rng.choice(["host", "screen", "participants"])}])  # fmt: skip
        return await self._host("PATCH", self._activity(), change)

    async def _drop(self) -> Any:
        return await self._host("DELETE", self._activity()) if self.rng.random() < 0.3 else None

    async def _session(self) -> Any:
        self.number += 1
        return await self.rng.choice([
            lambda: self._host("PATCH", self.event.path, {"title": f"S{self.number}"}),
            lambda: self._host("POST", self.event.path + "/lock", {"locked": False}),
            lambda: self._host("POST", self.event.path + "/show", {"activity_id": self.rng.choice([*self.activities, None])}),
        ])()  # fmt: skip

    async def _join(self) -> Any:
        self.number += 1
        self.seats.append(await self.event.join(f"P{self.number}"))

    async def _seat(self) -> Any:
        seat = self.rng.choice(self.seats[1:] or self.seats)
        self.number += 1
        if self.rng.random() < 0.6 or seat is self.seats[0]:
            return await self._host("PATCH", f"/participants/{seat.id}", {"nickname": f"R{self.number}"})
        self.seats.remove(seat)
        if self.rng.random() < 0.5:
            return await self.event.api.delete("/participants/me", token=seat.token)
        return await self._host("DELETE", f"/participants/{seat.id}?responses={self.rng.choice(['keep', 'delete'])}")

    async def _answer(self) -> Any:
        activity, seat = self.rng.choice(self.activities[-3:]), self.rng.choice(self.seats)
        self.number += 1
        answer = await self.event.answer({"id": activity}, seat, {"n": self.number})
        if answer.status_code < 300:
            self.responses.append((activity, answer.json()["id"], seat))
        return answer

    async def _change(self) -> Any:
        if not self.responses:
            return None
        activity, response, seat = self.rng.choice(self.responses[-6:])
        path = f"{self.event.path}/activities/{activity}/responses/{response}"
        self.number += 1
        return await self.rng.choice([
            lambda: self.event.api.put(path, {"response_data": {"n": self.number}}, token=seat.token),
            lambda: self.event.api.delete(path, token=seat.token),
            lambda: self._host("DELETE", path),
            lambda: self._host("PATCH", path, {"moderation": self.rng.choice(["visible", "pending", "hidden"])}),
            lambda: self._host("PATCH", path, {"moderation": self.rng.choice(["visible", "pending", "hidden"])}),
        ])()  # fmt: skip


KINDS = {"make": 2, "move": 4, "control": 2, "edit": 2, "drop": 1, "session": 2, "join": 2, "seat": 2, "answer": 12, "change": 8}


class Crowd:
    """Readers of every role on every feed, who read now and then."""

    def __init__(self, walk: Walk) -> None:
        event = walk.event
        self.walk, self.api, self.path, self.rng = walk, event.api, event.path, walk.rng
        self.tokens = {"host": event.host, "screen": event.screen, "participant": walk.seats[0].token}
        self.followers = {
            role: Follower(self.api, self.path, token, screen=role == "screen") for role, token in self.tokens.items()
        }
        self.answers: dict[tuple[str, str], AnswerFollower] = {}

    def _readers(self) -> list[Follower | AnswerFollower]:
        for activity in self.walk.activities:
            for role, token in self.tokens.items():
                path = f"{self.path}/activities/{activity}/responses"
                self.answers.setdefault((role, activity), AnswerFollower(self.api, path, token))
        return [*self.followers.values(), *self.answers.values()]

    async def look(self, share: float) -> None:
        for reader in self._readers():
            if self.rng.random() < share:
                await reader.poll(self.rng.choice([1, 2, 3, 7, None]))

    async def agree_with_fresh_readers(self) -> None:
        await self.look(share=1)
        for role, follower in self.followers.items():
            fresh = await Follower(self.api, self.path, self.tokens[role]).poll(self.rng.choice([1, 4, None]))
            assert follower.state == fresh.state, role
            assert follower.cursor == fresh.cursor
            assert (follower.repeats, fresh.repeats) == (0, 0)
        for (role, activity), reader in self.answers.items():
            fresh_answers = await AnswerFollower(self.api, reader.path, reader.token).poll(self.rng.choice([1, 4, None]))
            assert (reader.state, reader.cursor) == (fresh_answers.state, fresh_answers.cursor), (role, activity)


@pytest.mark.catalogue("C-08", "D-08")
@pytest.mark.parametrize("seed", SEEDS)
async def test_fold_of_the_feed_is_the_snapshot(api: Api, seed: int) -> None:
    walk = Walk(await make_event(api), Random(seed))
    await walk._make()
    for _ in range(2):
        await walk._join()
    crowd = Crowd(walk)

    for number in range(1, STEPS + 1):
        await walk.step()
        await crowd.look(share=0.2)
        if number % LOOK_EVERY == 0:
            await crowd.agree_with_fresh_readers()
    assert set(walk.done) >= {"answer", "edit", "move"}
    await _agrees_with_the_lists(walk.event, crowd.followers["host"])


async def _agrees_with_the_lists(event: Event, host: Follower) -> None:
    api = event.api

    def known(entity: str) -> dict[Any, Any]:
        return {entity_id: data for (kind, entity_id), data in host.state.items() if kind == entity}

    assert known("session") == {event.id: (await api.get(event.path, token=event.host)).json()}
    activities = (await api.get(event.path + "/activities", token=event.host)).json()["items"]
    assert known("activity") == {each["id"]: each for each in activities}
    people = (await api.get(event.path + "/participants", token=event.host)).json()["items"]
    assert known("participant") == {each["id"]: {k: v for k, v in each.items() if k != "presence"} for each in people}
    answers: dict[str, Any] = {}
    for activity in activities:
        path = f"{event.path}/activities/{activity['id']}"
        found = (await api.get(path + "/responses?limit=1000", token=event.host)).json()
        answers |= {each["id"]: each for each in found["items"]}
        status = (await api.get(path + "/status", token=event.host)).json()
        assert status["response_count"] == sum(each["round"] == activity["round"] for each in found["items"])
        shown = (
            (await api.get(path + "/status", token=event.screen)).json() if activity["status"] != "draft" else {"response_count": 0}
        )
        visible = [each for each in found["items"] if each["moderation"] == "visible" and each["round"] == activity["round"]]
        assert shown["response_count"] == len(visible)
    assert known("response") == answers
