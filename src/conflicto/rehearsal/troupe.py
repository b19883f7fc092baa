"""The scripted participants of one session: who is due, and what they do."""

from __future__ import annotations

import asyncio
import heapq
from dataclasses import dataclass, field
from functools import partial
from itertools import count, islice
from typing import TYPE_CHECKING, Protocol

import structlog

from conflicto.activities.model import ActivityStatus, ResponsePolicy
from conflicto.activities.queries import activity_with_content
from conflicto.activity_types.imitation import Imitation
from conflicto.participants.commands.join import JoinRequest, join_many
from conflicto.participants.errors import NicknameRefused, NicknameTaken, SeatGone
from conflicto.participants.nickname import clean
from conflicto.platform.problems import DomainError
from conflicto.rehearsal.people import names, person
from conflicto.rehearsal.timing import answer_times, join_times
from conflicto.responses.commands.submit import Submission, submit_many
from conflicto.responses.queries import activity_feed
from conflicto.sessions.model import SessionStatus
from conflicto.sessions.queries import session_by_id

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from random import Random
    from uuid import UUID

    from conflicto.activities.model import Activity
    from conflicto.activity_types.registry import Registry
    from conflicto.participants.commands.join import Seat
    from conflicto.participants.presence import Presence
    from conflicto.platform.clock import Clock
    from conflicto.platform.db.engine import Database
    from conflicto.platform.db.transaction import ReadTx
    from conflicto.platform.db.writer import Writer
    from conflicto.rehearsal.people import Person
    from conflicto.responses.checking import Judged
    from conflicto.responses.commands.submit import Receipt
    from conflicto.sessions.model import Session

TICK_S = 0.25
PACE = 1.0
"""How fast time runs for scripted participants; tests have little of it."""

ALIVE_S = 10.0
"""How often they are seen, so that the host's list shows them present."""

MOST_NAMES = 50
"""Names that someone tries before they stay away: all are taken, or refused by the host's word filter."""

ECHOED = 50
"""Answers of others that are repeated where nobody knows what fits."""

LISTEN_S = 3.0
"""How often it is looked whether there are such answers by now."""

log = structlog.get_logger(__name__)


class Standing(Protocol):
    """As much of a session's head as a troupe looks at."""

    session: Session
    activities: dict[UUID, Activity]


@dataclass(frozen=True, slots=True)
class House:
    """What a troupe plays in.

    `standing` returns a session as memory knows it, None if it is gone; `judge` judges an answer as it does a phone's.
    """

    db: Database
    writer: Writer
    clock: Clock
    presence: Presence
    types: Registry
    standing: Callable[[int], Awaitable[Standing | None]]
    judge: Callable[[int, UUID, str], Awaitable[Judged]]


@dataclass(slots=True)
class Scene:
    """One round of an activity; `imitation` None: its type says nothing, so `echoes`, texts of others' answers, are repeated."""

    activity: Activity
    began_s: float
    imitation: Imitation | None = None
    echoes: list[str] = field(default_factory=list)
    listen_s: float = 0.0

    @property
    def is_mute(self) -> bool:
        """Whether nothing is known to say."""
        return self.imitation is None and not self.echoes


@dataclass(eq=False, slots=True)
class Actor:
    """A scripted participant with a seat."""

    person: Person
    participant_id: int
    played: set[tuple[UUID, int]] = field(default_factory=set)


class Troupe:
    """Plays one session for a time; `skipped` are the activities to which nobody found anything to say."""

    def __init__(self, house: House, session_id: int, *, people: int, seconds: float, language: str, chance: Random) -> None:
        self._house = house
        self._session_id = session_id
        self._people = people
        self._language = language
        self._chance = chance
        self._names = names(chance)
        self._due: list[tuple[float, int, Callable[[], Awaitable[None]]]] = []
        self._order = count()
        self._scenes: dict[tuple[UUID, int], Scene] = {}
        self._alive_s = 0.0
        self.actors: list[Actor] = []
        self.until_s = house.clock.monotonic_s() + seconds

    @property
    def skipped(self) -> list[UUID]:
        """Activities that are open and unknown, where everybody waits for someone else's answer."""
        return [scene.activity.id for scene in self._scenes.values() if scene.is_mute]

    async def play(self) -> None:
        """Join, and answer whatever the host opens, until the time or the session is over, or the task is cancelled."""
        for _ in range(self._people):
            someone = person(self._chance)
            self._later(join_times(self._people, someone), partial(self._join, someone))
        while self._house.clock.monotonic_s() < self.until_s:
            try:
                standing = await self._house.standing(self._session_id)
                if standing is None or standing.session.status is SessionStatus.COMPLETED:
                    return
                await self._set([each for each in standing.activities.values() if each.status is ActivityStatus.ACTIVE])
                await self._act()
            except DomainError as error:
                log.warning("rehearsal-delayed", session_id=self._session_id, code=error.code)
            await asyncio.sleep(TICK_S * PACE)

    def _later(self, wait_s: float, act: Callable[[], Awaitable[None]]) -> None:
        heapq.heappush(self._due, (self._house.clock.monotonic_s() + wait_s * PACE, next(self._order), act))

    async def _act(self) -> None:
        now_s = self._house.clock.monotonic_s()
        due = []
        while self._due and self._due[0][0] <= now_s:
            due.append(heapq.heappop(self._due)[2]())
        for outcome in await asyncio.gather(*due, return_exceptions=True):
            if isinstance(outcome, Exception) and not isinstance(outcome, DomainError):
                raise outcome
        if now_s >= self._alive_s:
            self._alive_s = now_s + ALIVE_S
            for actor in self.actors:
                self._house.presence.note(self._session_id, actor.participant_id)

    async def _join(self, someone: Person) -> None:
        session = await self._house.db.read(session_by_id, self._session_id)
        for name in islice(self._names, MOST_NAMES):
            nickname = clean(name)
            request = JoinRequest(self._session_id, session.join_code or "", nickname, scripted=True)
            try:
                seat: Seat = await self._house.writer.submit(
                    self._session_id, join_many, request, ((self._session_id, nickname.key),)
                )
            except (NicknameTaken, NicknameRefused):
                continue
            self.actors.append(Actor(someone, seat.participant.id))
            return

    async def _set(self, running: list[Activity]) -> None:
        """Begin what has been opened, forget what is over, and let everyone who has not yet plan what they do there."""
        open_now = {(activity.id, activity.round): activity for activity in running}
        self._scenes = {key: scene for key, scene in self._scenes.items() if key in open_now}
        for key, activity in open_now.items():
            scene = self._scenes.get(key)
            if scene is None:
                scene = self._scenes[key] = await self._begun(activity)
            elif scene.is_mute and scene.listen_s <= self._house.clock.monotonic_s():
                await self._listen(scene)
            if not scene.is_mute:
                for actor in self.actors:
                    self._plan(actor, scene)

    async def _begun(self, activity: Activity) -> Scene:
        scene = Scene(activity, self._house.clock.monotonic_s())
        kind = self._house.types.find(activity.type)
        if kind is not None:
            _, content = await self._house.db.read(activity_with_content, activity.id)
            seed = activity.id.int
            scene.imitation = Imitation.of(
                kind, content.config, content.secret, language=self._language, seed=seed, nth=activity.round
            )
        if scene.imitation is None:
            await self._listen(scene)
        return scene

    async def _listen(self, scene: Scene) -> None:
        scene.echoes = await self._house.db.read(_heard, scene.activity.id)
        scene.listen_s = self._house.clock.monotonic_s() + LISTEN_S * PACE

    def _plan(self, actor: Actor, scene: Scene) -> None:
        key = (scene.activity.id, scene.activity.round)
        if key in actor.played:
            return
        actor.played.add(key)
        policy = scene.activity.response_policy
        many, final = policy is ResponsePolicy.MANY, policy is ResponsePolicy.FIRST
        for at in answer_times(actor.person, many=many, final=final, duration_s=scene.activity.duration_seconds):
            self._later(at, partial(self._answer, actor, scene))

    async def _answer(self, actor: Actor, scene: Scene) -> None:
        key, chance = (scene.activity.id, scene.activity.round), actor.person.chance
        if key not in self._scenes:
            return
        text = chance.choice(scene.echoes) if scene.imitation is None else scene.imitation.answer(chance, skill=actor.person.skill)
        if text is None:
            return
        written, faults = await self._house.judge(self._session_id, scene.activity.id, text)
        if faults:
            return
        wall_us = self._house.clock.wall_us()
        item = Submission(self._session_id, scene.activity.id, actor.participant_id, written, wall_us)
        keys = ((scene.activity.id, actor.participant_id),)
        try:
            receipt: Receipt = await self._house.writer.submit(self._session_id, submit_many, item, keys)
        except SeatGone:
            if actor in self.actors:
                self.actors.remove(actor)
            return
        if scene.imitation is not None:
            scene.imitation.heard(str(receipt.response.id), text)


def _heard(tx: ReadTx, activity_id: UUID) -> list[str]:
    """Return texts of answers that are there."""
    found = activity_feed(tx, activity_id, after=0, upto=2**62, most=ECHOED, live_only=True, visible_only=False)
    return [each.text for each in found if each.text is not None]
