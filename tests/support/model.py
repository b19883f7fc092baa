"""A minimal model of a session: the reference of the state machine test.

It holds what a host and some participants do, and what they must see.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Answer:
    activity: str
    round: int
    who: int
    data: Any
    id: str = ""
    revision: int = 1
    deleted: bool = False
    place: int = 0


@dataclass
class Model:
    """A session whose methods return the HTTP status that the server must return.

    `submit` returns the response too. `place` is the order of the feed.
    """

    policy: dict[str, str] = field(default_factory=dict)
    status: dict[str, str] = field(default_factory=dict)
    round: dict[str, int] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    keys: dict[tuple[str, int, str], tuple[Any, int, Answer]] = field(default_factory=dict)
    completed: bool = False
    places: int = 0

    def move(self, activity: str, to: str) -> int:
        came_from = {"active": {"published", "expired"}, "expired": {"active"}}[to]
        if self.completed or self.status[activity] not in came_from:
            return 409
        if to == "active":
            self.status |= {each: "expired" for each, now in self.status.items() if now == "active"}
        self.status[activity] = to
        return 200

    def again(self, activity: str) -> int:
        if self.completed or self.status[activity] == "published":
            return 409
        self.status |= {each: "expired" for each, now in self.status.items() if now == "active"}
        self.status[activity], self.round[activity] = "active", self.round[activity] + 1
        return 200

    def complete(self) -> int:
        self.completed = True
        self.status |= {each: "expired" for each, now in self.status.items() if now == "active"}
        return 200

    def submit(self, activity: str, who: int, data: Any, key: str) -> tuple[int, Answer | None]:
        if (activity, who, key) in self.keys:
            first, status, answer = self.keys[activity, who, key]
            return (status, answer) if first == data else (422, None)
        if self.status[activity] != "active":
            return 409, None
        earlier = [each for each in self.answers if (each.activity, each.round, each.who) == (activity, self.round[activity], who)]
        if self.policy[activity] == "many" or not earlier:
            status, answer = 201, Answer(activity, self.round[activity], who, data)
            self.answers.append(answer)
        elif self.policy[activity] == "first" and not earlier[0].deleted:
            return 409, None
        else:
            status, answer = 200, earlier[0]
            self.change(answer, data=data)
        self.keys[activity, who, key] = data, status, answer
        self.touch(answer)
        return status, answer

    def is_open_to_its_author(self, answer: Answer) -> bool:
        now = self.status[answer.activity] == "active" and self.round[answer.activity] == answer.round
        return now and self.policy[answer.activity] != "first"

    def change(self, answer: Answer, *, data: Any = None, deleted: bool = False) -> None:
        answer.data, answer.deleted, answer.revision = data, deleted, answer.revision + 1
        self.touch(answer)

    def touch(self, answer: Answer) -> None:
        self.places += 1
        answer.place = self.places

    def live(self, activity: str, round_number: int | None = None) -> list[Answer]:
        mine = [
            each for each in self.answers if each.activity == activity and not each.deleted and round_number in {None, each.round}
        ]
        return sorted(mine, key=lambda each: each.place)
