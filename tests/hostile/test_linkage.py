"""Anonymity against readers with a role, while people respond and afterwards.

An attack (`tests/support/linkage.py`) joins every pair of columns. It must name everybody in a
named activity, and many if one of the guards is disabled. In an anonymous activity at
most one guess in n may be right, with n people in the smallest group.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
import structlog

from conflicto.platform.db.group import GroupRunner
from conflicto.settings import Settings
from tests.support.api import PREFIX, Api, Seat, make_event
from tests.support.checks import accepted
from tests.support.clocks import US_PER_S, HandClock
from tests.support.linkage import Attack, Score, Sight, gather, parsed, token

NAMES = ("Anna", "Bert", "Cleo", "Dora", "Emil", "Fred", "Gina", "Hugo")
ADDRESSES = {name: f"192.0.2.{number}" for number, name in enumerate(NAMES, 1)}
"""Addresses of phones: each participant has one."""

GROUP = 3
"""People in the smallest group: the default of new anonymous activities."""

HEARTBEAT_S = 20.0
TICK_S = 5.0

LOG = "the log"

WATCHED = {
    "host": ("/participants", "{a}/responses?limit=1000", "{a}/responses/since/0", "/changes/since/0?limit=1000", "/status", "{a}/status",
             "{a}/results", "/transitions", "/leaderboard", "/names", "/activities"),
    "screen": ("{a}/responses/since/0", "/changes/since/0?limit=1000", "/status", "{a}/status", "{a}/results", "/leaderboard",
               "/activities"),
    "participant": ("{a}/responses/since/0", "/changes/since/0?limit=1000", "/status", "{a}/status", "{a}/results", "/leaderboard"),
    "operator": ("/metrics", LOG),
}  # fmt: skip
"""Bodies of each role below its session. The operator reads the hosts' bodies, the metrics and
the access log."""

EXPORTS = tuple(f"/export?format={form}&shape={shape}" for form in ("csv", "jsonl") for shape in ("responses", "table", "long"))


@dataclass
class Play:
    """A round: phones with their own schedules, and readers who read after every event."""

    api: Api
    http: httpx2.AsyncClient
    clock: HandClock
    chance: random.Random
    streaming: bool
    fields: dict[str, Any]
    sights: dict[str, list[Sight]] = field(default_factory=lambda: {role: [] for role in WATCHED})
    authors: dict[str, str] = field(default_factory=dict)
    sleepers: int = len(NAMES) // 2
    struck_out: bool = False
    asleep: set[str] = field(default_factory=set)
    seats: dict[str, Seat] = field(default_factory=dict)
    log_lines: list[dict[str, Any]] = field(default_factory=list)

    async def run(self) -> None:
        """Play the round: join, respond in turn, end, and leave."""
        self.event = await make_event(self.api)
        self.poll = await self.event.activity(aggregate={"all": {"path": "", "op": "count"}}, **self.fields)
        self.lurker = await self.event.join("Lurker")
        for name in self.chance.sample(NAMES, len(NAMES)):
            await self.wait(self.chance.uniform(1, 6))
            self.seats[name] = await self.event.join(name)
            await self.pose_question(name)
        self.asleep = set(self.chance.sample(NAMES, self.sleepers))
        await self.wait(200)
        accepted(await self.event.move(self.poll, "active"))
        await self.look()
        for number, name in enumerate(self.chance.sample(NAMES, len(NAMES))):
            await self.wait(self.chance.expovariate(1 / 6))
            await self.answer(name, number)
            await self.look()
        await self.wait(self.chance.uniform(1, 20))
        accepted(await self.event.move(self.poll, "expired"))
        await self.look()
        await self.go()
        await self.look(exports=True)

    async def answer(self, name: str, number: int) -> None:
        """Wake a phone, respond, and read the own response; sleepers sleep again."""
        seat, word = self.seats[name], token(self.chance.getrandbits(40) << 8 | number)
        self.authors[word] = name
        await self.pose_question(name)
        accepted(await self.event.answer(self.poll, seat, word, headers=from_address(name)), 201)
        accepted(
            await self.api.get(
                f"{self.event.path}/activities/{self.poll['id']}/responses/mine", token=seat.token, headers=from_address(name)
            )
        )

    async def go(self) -> None:
        """Let one participant leave, and kick another with all their responses."""
        leaves, kicked = self.chance.sample(NAMES, 2)
        self.asleep |= {leaves, kicked}
        await self.wait(3)
        accepted(await self.api.delete("/participants/me", token=self.seats[leaves].token, headers=from_address(leaves)), 204)
        await self.look()
        await self.wait(3)
        accepted(await self.api.delete(f"/participants/{self.seats[kicked].id}?responses=delete", token=self.event.host), 204)
        await self.look()

    async def pose_question(self, name: str) -> None:
        """Send a phone's background request: a heartbeat if it has a stream, else a poll."""
        seat = self.seats[name]
        if self.streaming:
            accepted(await self.api.post(f"/participants/{seat.id}/heartbeat", token=seat.token, headers=from_address(name)))
        else:
            headers = {"authorization": f"Bearer {seat.token}"} | from_address(name)
            accepted(await self.http.get(f"{PREFIX}{self.event.path}/status", headers=headers))

    async def wait(self, seconds: float) -> None:
        """Advance the clock.

        Awake phones poll now and then, and the server does the work of its ticks.
        """
        while seconds > 0:
            step = min(seconds, TICK_S if seconds < 60 else HEARTBEAT_S)
            self.clock.advance(step)
            seconds -= step
            await self.api.app.domain.releases.release_due_pools()
            awake = sorted(self.seats.keys() - self.asleep)
            if awake:
                await self.pose_question(self.chance.choice(awake))

    async def look(self, *, exports: bool = False) -> None:
        """Read everything that each role may read."""
        tokens = {
            "host": self.event.host,
            "screen": self.event.screen,
            "participant": self.lurker.token,
            "operator": self.api.admin,
        }
        for role, paths in WATCHED.items():
            wanted = paths + (EXPORTS if exports and role == "host" and not self.struck_out else ())
            bodies = {path: await self.read(path, tokens[role]) for path in wanted}
            self.sights[role].append(
                Sight(self.clock.wall_us() / US_PER_S, {path: body for path, body in bodies.items() if body is not None})
            )

    async def read(self, path: str, bearer: str) -> Any:
        """Return a body as values, or None if the role is refused."""
        if path == LOG:
            return {"rows": list(self.log_lines)}
        address = path if path == "/metrics" else self.event.path + path.replace("{a}", f"/activities/{self.poll['id']}")
        found = await self.http.get(
            address if path == "/metrics" else PREFIX + address, headers={"authorization": f"Bearer {bearer}"}
        )
        if found.status_code != 200:
            assert found.status_code in {204, 403, 422}, (address, found.text)
            return None
        body = parsed(found.headers["content-type"], found.text)
        return without_authors(body) if self.struck_out else body

    def teach(self, attack: Attack) -> None:
        """Train the attack on this round, once per role.

        The operator is a host with more bodies.
        """
        people = {name: name for name in NAMES} | {str(seat.id): name for name, seat in self.seats.items()}
        people |= {address: name for name, address in ADDRESSES.items()}
        both = zip(self.sights["host"], self.sights["operator"], strict=True)
        joined = [Sight(host.at_s, host.bodies | more.bodies) for host, more in both]
        for sights in (joined, self.sights["screen"], self.sights["participant"]):
            attack.learn(gather(sights, people), self.authors)


def from_address(name: str) -> dict[str, str]:
    """Return the headers by which a trusted proxy names a phone's address."""
    return {"x-forwarded-for": ADDRESSES[name]}


def without_authors(value: Any) -> Any:
    """Return a body without the authors of responses."""
    if isinstance(value, list):
        return [without_authors(each) for each in value]
    if isinstance(value, dict):
        hidden = {"participant_id"} if "response_data" in value else set()
        return {key: without_authors(each) for key, each in value.items() if key not in hidden}
    return value


def _by_right(scored: tuple[str, Score]) -> int:
    return -scored[1].right


@pytest.fixture(params=[False, True], ids=["polling", "streaming"])
def streaming(request: pytest.FixtureRequest) -> bool:
    return request.param


@pytest.fixture
def virtual(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make both databases use the test's clock for timestamps."""
    monkeypatch.setattr(GroupRunner, "_read_clock", lambda runner, connection, heads: runner._clock.wall_us())


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"access_log": True})


@pytest.fixture
def log_lines(clock: HandClock) -> Iterator[list[dict[str, Any]]]:
    """Record the server's log lines with the time of the test's clock."""
    lines: list[dict[str, Any]] = []

    def take(logger: Any, name: str, event: dict[str, Any]) -> dict[str, Any]:
        lines.append({**event, "timestamp": f"{datetime.fromtimestamp(clock.wall_us() / US_PER_S, UTC):%Y-%m-%dT%H:%M:%S.%f}Z"})
        raise structlog.DropEvent

    structlog.configure(processors=[take])
    yield lines
    structlog.reset_defaults()


@pytest.fixture
def attacked(
    log_lines: list[dict[str, Any]], api: Api, clock: HandClock, streaming: bool, virtual: None, seed: str
) -> Callable[..., Any]:
    async def run(rounds: int, sleepers: int = len(NAMES) // 2, struck_out: bool = False, **fields: Any) -> Attack:
        attack, chance = Attack(), random.Random(f"linkage {seed}")
        for _ in range(rounds):
            log_lines.clear()
            async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=api.app), base_url="http://testserver") as http:
                play = Play(
                    api, http, clock, chance, streaming, fields, sleepers=sleepers, struck_out=struck_out, log_lines=log_lines
                )
                await play.run()
            play.teach(attack)
        return attack

    return run


OPEN = {"results_visibility": "always", "responses_visibility": "participants"}


async def test_a_named_activity_names_everybody(attacked: Any) -> None:
    attack = await attacked(2, anonymous=False, **OPEN)
    certain = {name: each for name, each in attack.scores.items() if name.startswith("one record") and each.right == each.claims}
    assert max(each.right for each in certain.values()) >= len(NAMES) * 2
    assert any(not name.startswith("one record") for name in attack.leaks(GROUP)), "the attack used something else"


async def test_single_answers_without_names_name_many(attacked: Any) -> None:
    """Control the joins and the log: without names, their times identify the authors.

    No pool holds the requests of a named activity back.
    """
    attack = await attacked(3, struck_out=True, sleepers=len(NAMES), anonymous=False, **OPEN)
    leaks, best = attack.leaks(GROUP), sorted(attack.scores.items(), key=_by_right)[:5]
    assert any("/participants" in name for name in leaks), best
    assert any(name.split(": ", 1)[1].startswith(f"{LOG} ") for name in leaks), best


async def test_an_anonymous_activity_names_nobody(attacked: Any, counted: Any, rounds: int) -> None:
    attack = await attacked(rounds, anonymous=True, **OPEN)
    leaks = attack.leaks(GROUP)
    counted(f"linkage: {rounds} rounds, {len(attack.scores)} pairs of columns, {len(leaks)} leaks")
    assert leaks == {}
