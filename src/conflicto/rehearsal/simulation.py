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
from conflicto.activity_types.generator import ResponseGenerator
from conflicto.participants.commands.join import JoinRequest, join_many
from conflicto.participants.errors import NicknameRefused, NicknameTaken, SeatGone
from conflicto.participants.nickname import clean_nickname
from conflicto.platform.problems import DomainError
from conflicto.rehearsal.timing import join_delay, response_delays
from conflicto.rehearsal.traits import bot_names, random_traits
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
    from conflicto.rehearsal.traits import BotTraits
    from conflicto.responses.checking import Judged
    from conflicto.responses.commands.submit import Receipt
    from conflicto.sessions.model import Session

TICK_S = 0.25
TIME_SCALE = 1.0
"""How fast time runs for scripted participants; tests have little of it."""

PRESENCE_INTERVAL_S = 10.0
"""How often they are seen, so that the host's list shows them present."""

MAX_NAME_TRIES = 50
"""Names that someone tries before they stay away: all are taken, or refused by the host's word filter."""

MAX_COPIED_TEXTS = 50
"""Answers of others that are repeated where nobody knows what fits."""

COPY_RETRY_S = 3.0
"""How often it is looked whether there are such answers by now."""

log = structlog.get_logger(__name__)


class SessionSnapshot(Protocol):
    """As much of a session's head as a troupe looks at."""

    session: Session
    activities: dict[UUID, Activity]


@dataclass(frozen=True, slots=True)
class Context:
    """What a troupe plays in.

    `standing` returns a session as memory knows it, None if it is gone; `judge` judges an answer as it does a phone's.
    """

    db: Database
    writer: Writer
    clock: Clock
    presence: Presence
    types: Registry
    load_session: Callable[[int], Awaitable[SessionSnapshot | None]]
    validate: Callable[[int, UUID, str], Awaitable[Judged]]


@dataclass(slots=True)
class SimulatedRound:
    """One round of an activity; `imitation` None: its type says nothing, so `echoes`, texts of others' answers, are repeated."""

    activity: Activity
    started_s: float
    generator: ResponseGenerator | None = None
    copied_texts: list[str] = field(default_factory=list)
    next_copy_s: float = 0.0

    @property
    def is_waiting(self) -> bool:
        """Whether nothing is known to say."""
        return self.generator is None and not self.copied_texts


@dataclass(eq=False, slots=True)
class Bot:
    """A scripted participant with a seat."""

    traits: BotTraits
    participant_id: int
    scheduled_rounds: set[tuple[UUID, int]] = field(default_factory=set)


class Simulation:
    """Plays one session for a time; `skipped` are the activities to which nobody found anything to say."""

    def __init__(self, context: Context, session_id: int, *, bots: int, seconds: float, language: str, rng: Random) -> None:
        self._context = context
        self._session_id = session_id
        self._bot_count = bots
        self._language = language
        self._rng = rng
        self._names = bot_names(rng)
        self._due: list[tuple[float, int, Callable[[], Awaitable[None]]]] = []
        self._order = count()
        self._rounds: dict[tuple[UUID, int], SimulatedRound] = {}
        self._next_presence_s = 0.0
        self.bots: list[Bot] = []
        self.ends_s = context.clock.monotonic_s() + seconds

    @property
    def skipped(self) -> list[UUID]:
        """Activities that are open and unknown, where everybody waits for someone else's answer."""
        return [scene.activity.id for scene in self._rounds.values() if scene.is_waiting]

    async def run(self) -> None:
        """Join, and answer whatever the host opens, until the time or the session is over, or the task is cancelled."""
        for _ in range(self._bot_count):
            someone = random_traits(self._rng)
            self._schedule(join_delay(self._bot_count, someone), partial(self._join, someone))
        while self._context.clock.monotonic_s() < self.ends_s:
            try:
                standing = await self._context.load_session(self._session_id)
                if standing is None or standing.session.status is SessionStatus.COMPLETED:
                    return
                await self._update_rounds([each for each in standing.activities.values() if each.status is ActivityStatus.ACTIVE])
                await self._run_due()
            except DomainError as error:
                log.warning("rehearsal-delayed", session_id=self._session_id, code=error.code)
            await asyncio.sleep(TICK_S * TIME_SCALE)

    def _schedule(self, wait_s: float, act: Callable[[], Awaitable[None]]) -> None:
        heapq.heappush(self._due, (self._context.clock.monotonic_s() + wait_s * TIME_SCALE, next(self._order), act))

    async def _run_due(self) -> None:
        now_s = self._context.clock.monotonic_s()
        due = []
        while self._due and self._due[0][0] <= now_s:
            due.append(heapq.heappop(self._due)[2]())
        for outcome in await asyncio.gather(*due, return_exceptions=True):
            if isinstance(outcome, Exception) and not isinstance(outcome, DomainError):
                raise outcome
        if now_s >= self._next_presence_s:
            self._next_presence_s = now_s + PRESENCE_INTERVAL_S
            for actor in self.bots:
                self._context.presence.record(self._session_id, actor.participant_id)

    async def _join(self, someone: BotTraits) -> None:
        session = await self._context.db.read(session_by_id, self._session_id)
        for name in islice(self._names, MAX_NAME_TRIES):
            nickname = clean_nickname(name)
            request = JoinRequest(self._session_id, session.join_code or "", nickname, scripted=True)
            try:
                seat: Seat = await self._context.writer.submit(
                    self._session_id, join_many, request, ((self._session_id, nickname.key),)
                )
            except (NicknameTaken, NicknameRefused):
                continue
            self.bots.append(Bot(someone, seat.participant.id))
            return

    async def _update_rounds(self, running: list[Activity]) -> None:
        """Begin what has been opened, forget what is over, and let everyone who has not yet plan what they do there."""
        open_now = {(activity.id, activity.round): activity for activity in running}
        self._rounds = {key: scene for key, scene in self._rounds.items() if key in open_now}
        for key, activity in open_now.items():
            scene = self._rounds.get(key)
            if scene is None:
                scene = self._rounds[key] = await self._new_round(activity)
            elif scene.is_waiting and scene.next_copy_s <= self._context.clock.monotonic_s():
                await self._load_copied_texts(scene)
            if not scene.is_waiting:
                for actor in self.bots:
                    self._schedule_responses(actor, scene)

    async def _new_round(self, activity: Activity) -> SimulatedRound:
        scene = SimulatedRound(activity, self._context.clock.monotonic_s())
        kind = self._context.types.find(activity.type)
        if kind is not None:
            _, content = await self._context.db.read(activity_with_content, activity.id)
            seed = activity.id.int
            scene.generator = ResponseGenerator.for_activity(
                kind, content.config, content.secret, language=self._language, seed=seed, nth=activity.round
            )
        if scene.generator is None:
            await self._load_copied_texts(scene)
        return scene

    async def _load_copied_texts(self, scene: SimulatedRound) -> None:
        scene.copied_texts = await self._context.db.read(_recent_texts, scene.activity.id)
        scene.next_copy_s = self._context.clock.monotonic_s() + COPY_RETRY_S * TIME_SCALE

    def _schedule_responses(self, actor: Bot, scene: SimulatedRound) -> None:
        key = (scene.activity.id, scene.activity.round)
        if key in actor.scheduled_rounds:
            return
        actor.scheduled_rounds.add(key)
        policy = scene.activity.response_policy
        many, final = policy is ResponsePolicy.MANY, policy is ResponsePolicy.FIRST
        for at in response_delays(actor.traits, many=many, final=final, duration_s=scene.activity.duration_seconds):
            self._schedule(at, partial(self._submit, actor, scene))

    async def _submit(self, actor: Bot, scene: SimulatedRound) -> None:
        key, chance = (scene.activity.id, scene.activity.round), actor.traits.rng
        if key not in self._rounds:
            return
        text = (
            chance.choice(scene.copied_texts)
            if scene.generator is None
            else scene.generator.generate(chance, skill=actor.traits.skill)
        )
        if text is None:
            return
        written, faults = await self._context.validate(self._session_id, scene.activity.id, text)
        if faults:
            return
        wall_us = self._context.clock.wall_us()
        item = Submission(self._session_id, scene.activity.id, actor.participant_id, written, wall_us)
        keys = ((scene.activity.id, actor.participant_id),)
        try:
            receipt: Receipt = await self._context.writer.submit(self._session_id, submit_many, item, keys)
        except SeatGone:
            if actor in self.bots:
                self.bots.remove(actor)
            return
        if scene.generator is not None:
            scene.generator.add_target(str(receipt.response.id), text)


def _recent_texts(tx: ReadTx, activity_id: UUID) -> list[str]:
    """Return texts of answers that are there."""
    found = activity_feed(tx, activity_id, after=0, upto=2**62, most=MAX_COPIED_TEXTS, live_only=True, visible_only=False)
    return [each.text for each in found if each.text is not None]
