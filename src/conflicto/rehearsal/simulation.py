"""The simulation of one session: bots that join, answer activities and stay present."""

from __future__ import annotations

import asyncio
import heapq
from dataclasses import dataclass, field
from functools import partial
from itertools import count, islice
from typing import TYPE_CHECKING

import structlog

from conflicto.activities.model import ActivityStatus, ResponsePolicy
from conflicto.activities.queries import activity_with_content
from conflicto.activities.session_types.loader import SessionTypeLoader
from conflicto.activity_types.response_generator.generator import ResponseGenerator
from conflicto.joining.commands import JoinRequest, join_many
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

    from conflicto.activities.model import Activity, Content
    from conflicto.activity_types.model import ActivityType
    from conflicto.activity_types.registry import Registry
    from conflicto.joining.commands import Seat
    from conflicto.platform.clock import Clock
    from conflicto.platform.db.engine import Database
    from conflicto.platform.db.transaction import ReadTx
    from conflicto.platform.db.writer import Writer
    from conflicto.rehearsal.traits import BotTraits
    from conflicto.responses.commands.submit import SubmitResult
    from conflicto.responses.model import ResponseContent
    from conflicto.responses.validation import ResponseValidator
    from conflicto.session_state.presence import Presence
    from conflicto.session_state.session_cache import SessionCache

TICK_S = 0.25
TIME_SCALE = 1.0
"""Factor of all delays; tests use a small one."""

PRESENCE_INTERVAL_S = 10.0
"""Interval of the bots' signs of life, which keep them `online` in the host's list."""

MAX_NAME_TRIES = 50
"""Names that a bot tries before it gives up, as all are taken or rejected by the word filter."""

MAX_COPIED_TEXTS = 50
"""Answers of other participants that bots copy in activities without a registered type."""

COPY_RETRY_S = 3.0
"""Interval of the look-ups for answers to copy."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Context:
    """Dependencies of simulations. `validator` checks responses exactly as those of people."""

    db: Database
    writer: Writer
    clock: Clock
    presence: Presence
    types: Registry
    sessions: SessionCache
    validator: ResponseValidator


@dataclass(slots=True)
class SimulatedRound:
    """One round of an activity.

    `generator` is None where the type is not registered; bots then copy `copied_texts`, answers of
    other participants. `is_unanswerable` says that no answer could be generated so far.
    """

    activity: Activity
    started_s: float
    generator: ResponseGenerator | None = None
    copied_texts: list[str] = field(default_factory=list)
    next_copy_s: float = 0.0
    is_unanswerable: bool = False
    has_answers: bool = False

    @property
    def is_waiting(self) -> bool:
        """Return whether the bots wait for an answer that they can copy."""
        return self.generator is None and not self.copied_texts

    def next_text(self, traits: BotTraits) -> str | None:
        """Return a bot's answer as JSON, None if there is none now; never raises.

        The schemas of other people's types may lead the generator anywhere. An error concerns this
        activity only.
        """
        if self.generator is None:
            return traits.rng.choice(self.copied_texts)
        try:
            text = self.generator.generate(traits.rng, skill=traits.skill)
        except Exception as error:  # noqa: BLE001 - one type must not end the rehearsal of the others
            _log_skipped(self.activity, error)
            text = None
        self.has_answers = self.has_answers or text is not None
        self.is_unanswerable = not self.has_answers
        return text


@dataclass(eq=False, slots=True)
class Bot:
    """A scripted participant with a seat; `scheduled_rounds` are (activity id, round)."""

    traits: BotTraits
    participant_id: int
    scheduled_rounds: set[tuple[UUID, int]] = field(default_factory=set)


class Simulation:
    """Simulates participants in one session for a limited time."""

    def __init__(self, context: Context, session_id: int, *, bots: int, seconds: float, language: str, rng: Random) -> None:
        self._context = context
        self._loader = SessionTypeLoader(context.db, context.types)
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
        """Open activities without an answer to copy, or for which none can be generated."""
        return [round_.activity.id for round_ in self._rounds.values() if round_.is_waiting or round_.is_unanswerable]

    async def run(self) -> None:
        """Join and answer every opened activity, until the time or the session is over."""
        for _ in range(self._bot_count):
            traits = random_traits(self._rng)
            self._schedule(join_delay(self._bot_count, traits), partial(self._join, traits))
        while self._context.clock.monotonic_s() < self.ends_s:
            try:
                session_state = await self._context.sessions.find(self._session_id)
                if session_state is None or session_state.session.status is SessionStatus.COMPLETED:
                    return
                await self._update_rounds(
                    [each for each in session_state.activities.values() if each.status is ActivityStatus.ACTIVE]
                )
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
            for bot in self.bots:
                self._context.presence.record(self._session_id, bot.participant_id)

    async def _join(self, traits: BotTraits) -> None:
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
            self.bots.append(Bot(traits, seat.participant.id))
            return

    async def _update_rounds(self, running: list[Activity]) -> None:
        """Add opened rounds, drop closed ones, and schedule the answers that are missing."""
        open_now = {(activity.id, activity.round): activity for activity in running}
        self._rounds = {key: round_ for key, round_ in self._rounds.items() if key in open_now}
        for key, activity in open_now.items():
            round_ = self._rounds.get(key)
            if round_ is None:
                round_ = self._rounds[key] = await self._new_round(activity)
            elif round_.is_waiting and round_.next_copy_s <= self._context.clock.monotonic_s():
                await self._load_copied_texts(round_)
            if not round_.is_waiting:
                for bot in self.bots:
                    self._schedule_responses(bot, round_)

    async def _new_round(self, activity: Activity) -> SimulatedRound:
        round_ = SimulatedRound(activity, self._context.clock.monotonic_s())
        await self._loader.load(activity.type, activity.type_version)
        activity_type = self._context.types.find_version(activity.type, activity.type_version)
        if activity_type is not None:
            _, content = await self._context.db.read(activity_with_content, activity.id)
            round_.generator = self._generator(activity, activity_type, content)
        if round_.generator is None:
            await self._load_copied_texts(round_)
        return round_

    def _generator(self, activity: Activity, activity_type: ActivityType, content: Content) -> ResponseGenerator | None:
        """Return the generator of a round, None if the config does not fit the type."""
        try:
            return ResponseGenerator.for_activity(
                activity_type, content.config, content.secret, language=self._language, seed=activity.id.int, round_number=activity.round
            )  # fmt: skip
        except Exception as error:  # noqa: BLE001 - as in `SimulatedRound.next_text`
            _log_skipped(activity, error)
            return None

    async def _load_copied_texts(self, round_: SimulatedRound) -> None:
        round_.copied_texts = await self._context.db.read(_recent_texts, round_.activity.id)
        round_.next_copy_s = self._context.clock.monotonic_s() + COPY_RETRY_S * TIME_SCALE

    def _schedule_responses(self, bot: Bot, round_: SimulatedRound) -> None:
        key = (round_.activity.id, round_.activity.round)
        if key in bot.scheduled_rounds:
            return
        bot.scheduled_rounds.add(key)
        policy = round_.activity.response_policy
        many, final = policy is ResponsePolicy.MANY, policy is ResponsePolicy.FIRST
        for at in response_delays(bot.traits, many=many, final=final, duration_s=round_.activity.duration_seconds):
            self._schedule(at, partial(self._submit, bot, round_))

    async def _submit(self, bot: Bot, round_: SimulatedRound) -> None:
        if (round_.activity.id, round_.activity.round) not in self._rounds:
            return
        text = round_.next_text(bot.traits)
        if text is None:
            return

        async def store(content: ResponseContent) -> SubmitResult:
            wall_us = self._context.clock.wall_us()
            item = Submission(self._session_id, round_.activity.id, bot.participant_id, content, wall_us)
            keys = ((round_.activity.id.bytes, bot.participant_id),)
            stored: SubmitResult = await self._context.writer.submit(self._session_id, submit_many, item, keys)
            return stored

        try:
            receipt = await self._context.validator.store(self._session_id, round_.activity.id, text, store)
        except SeatGone:
            if bot in self.bots:
                self.bots.remove(bot)
            return
        if round_.generator is not None:
            round_.generator.add_target(str(receipt.response.id), text)


def _log_skipped(activity: Activity, error: Exception) -> None:
    log.error("rehearsal-activity-skipped", activity_id=str(activity.id), type=activity.type, exc_info=error)


def _recent_texts(tx: ReadTx, activity_id: UUID) -> list[str]:
    """Return the texts of up to `MAX_COPIED_TEXTS` existing answers."""
    found = activity_feed(tx, activity_id, after=0, through=2**62, limit=MAX_COPIED_TEXTS, live_only=True, visible_only=False)
    return [each.text for each in found if each.text is not None]
