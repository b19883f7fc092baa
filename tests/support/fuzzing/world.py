"""Two events for a few hundred requests: a main one, and one for destructive requests.

`read_back` reads everything of both in all roles.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from conflicto.app import App
from tests.support.api import Api, Event, Seat, make_event
from tests.support.checks import accepted
from tests.support.fuzzing.cases import Case
from tests.support.fuzzing.exchange import PATIENCE_S, Judge, send_case
from tests.support.walking import addresses, filled

QUIZ = {
    "type": "riddle", "secret": {"a": 1}, "aggregate": {
        "votes": {"path": "/a", "op": "count"}, "said": {"path": "", "op": "words"}, "sum": {"path": "/n", "op": "number"},
        "order": {"path": "", "op": "rank"}, "ups": {"path": "/a", "op": "votes"}, "score": {"path": "/a", "op": "score", "key": "/a"},
    },
}  # fmt: skip
EXPORTS = [f"?format={form}&shape={shape}" for form in ("csv", "xlsx", "jsonl") for shape in ("responses", "table")]
SEEN: dict[str, Any] = {"results_visibility": "always", "responses_visibility": "participants", "response_policy": "many"}


@dataclass
class Side:
    """An event with an activity that uses every operation, a second one, a seat and a response."""

    event: Event
    seat: Seat
    activities: list[str]
    response: str
    link: str
    export: str

    @classmethod
    async def make(cls, api: Api) -> "Side":
        event = await make_event(api)
        other = await event.activity(config={"kept": 1})
        quiz = await event.activity(status="active", **QUIZ, **SEEN)
        seat = await event.join("Anna")
        sent = accepted(await event.answer(quiz, seat, {"a": 1, "n": 2}), 201)
        link = accepted(await api.post(f"{event.path}/links", {"scope": "screen"}, token=event.host), 201)
        return cls(event, seat, [quiz["id"], other["id"]], sent["id"], link["id"], await event.exported())

    def names(self, prefix: str) -> dict[bytes, bytes]:
        known = {
            "session": self.event.id, "activity": self.activities[0], "participant": self.seat.id, "response": self.response,
            "host": self.event.host, "screen": self.event.screen, "seat": self.seat.token, "code": self.event.code,
            "link": self.link, "export": self.export,
        }  # fmt: skip
        return {f"@{prefix}{name}@".encode(): str(value).encode() for name, value in known.items()}

    @property
    def known(self) -> dict[str, list[Any]]:
        return {
            "session_id": [self.event.id], "activity_id": self.activities, "response_id": [self.response],
            "participant_id": [self.seat.id], "code": [self.event.code], "timestamp": ["0", "now"], "type": ["poll"],
            "link_id": [self.link], "export_id": [self.export],
        }  # fmt: skip


@dataclass
class World:
    """The values of placeholders, and readers in all roles."""

    api: Api
    main: Side
    victim: Side
    names: dict[bytes, bytes]
    reads: Counter[str] = field(default_factory=Counter)

    @classmethod
    async def make(cls, app: App) -> "World":
        api = Api(app)
        main, victim = await Side.make(api), await Side.make(api)
        ticket = accepted(await api.post(f"{main.event.path}/events/ticket", token=main.seat.token), 201)["ticket"]
        await api.http.aclose()
        operator = {b"@admin@": api.admin.encode(), b"@ticket@": ticket.encode()}
        return cls(api, main, victim, main.names("") | victim.names("victim_") | operator)

    async def read_back(self, judge: Judge) -> list[str]:
        """Return the faults in all readable data: lists, feeds, first pages of streams, exports."""
        faults = []
        for side in (self.main, self.victim):
            for case in _reads(self.api, side):
                response = await send_case(self.api.app, case, leaves_after_s=PATIENCE_S / 2)
                fault = "a reader went away" if response is None or response.status == 0 else judge.fault(case, response)
                self.reads[case.target.partition(b"?")[0].rpartition(b"/")[2].decode()] += 1
                if fault:
                    faults.append(f"{case.method!r} {case.target!r}: {fault}")
        return faults


def _reads(api: Api, side: Side) -> Iterator[Case]:
    tokens = (api.admin, side.event.host, side.event.screen, side.seat.token)
    for route in api.app.edge.routes:
        if route.method == "GET" and not route.path.startswith("/health"):
            paged = (
                "?limit=1000" if route.path.endswith(("/activities", "/responses", "/participants", "/since/{timestamp}")) else ""
            )
            since = "?since=0" if route.path.endswith("/events") else paged
            if route.path.endswith("/export"):
                yield from (_get(f"{filled(route, session_id=side.event.id)}{query}", api.admin) for query in EXPORTS)
                continue
            for path in addresses(route, side.known):
                for token in tokens if route.roles else tokens[:1]:
                    yield _get(path + since, token)
                if "/since/0" in path:
                    yield _get(path, tokens[1], (b"accept", b"text/event-stream"))


def _get(target: str, token: str, *headers: tuple[bytes, bytes]) -> Case:
    return Case(b"GET", target.encode(), ((b"host", b"test"), (b"authorization", b"Bearer " + token.encode()), *headers))
