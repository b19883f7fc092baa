"""Validation of responses before the writer: schema of the activity type, then word filter.

Compiled checks are cached, so a check takes well below a microsecond. A changed filter applies from
its acknowledgement, and within 2 s at other workers.

Validation precedes the lock of the session, so the activity may change in between. The commands
compare its revision under the lock, and a response that is outdated is validated again.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from conflicto.activities.session_types.loader import SessionTypeLoader
from conflicto.platform.cache_budget import CacheBudget, text_bytes
from conflicto.platform.db.epochs import EpochChanged
from conflicto.platform.problems import InvalidInput
from conflicto.platform.word_filter.masking import mask_json, strings_in
from conflicto.responses.activity_cache import ActivityCache
from conflicto.responses.errors import ValidationOutdated
from conflicto.responses.model import ResponseContent
from conflicto.sessions.word_filter import FilterMode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Container
    from uuid import UUID

    from conflicto.activities.model import Activity, Content
    from conflicto.activity_types.json_schema.validator import SchemaValidator
    from conflicto.activity_types.registry import Registry
    from conflicto.platform.db.engine import Database
    from conflicto.platform.event_bus import EventBus
    from conflicto.platform.problems import DomainError
    from conflicto.platform.word_filter.masking import Masked
    from conflicto.session_state.session_cache import SessionCache
    from conflicto.sessions.word_filter import WordFilter

MAX_CACHED_CHECKS = 2_000
"""Maximum cached compiled checks. The oldest are evicted first."""

CHECK_BYTES = 3_000
BYTES_PER_CONFIG_BYTE = 8
"""Memory of a compiled check and of each byte of a config, in bytes.

Short texts take 50 bytes and more as objects.
"""

CACHE_SHARE = 0.05
"""Share of the budget of all caches."""

MAX_CACHED_TEXTS = 100
"""Maximum activities whose config texts are cached, up to 256 KiB each.

They are read only when the word filter found a word.
"""

MAX_INLINE_CHARACTERS = 1_000
"""Maximum characters of a response filtered on the event loop, in 5 ms at most.

A thread filters longer ones.
"""

MAX_ATTEMPTS = 4
"""Maximum attempts to store a response whose activity changes meanwhile."""

T = TypeVar("T")

_decode = msgspec.json.Decoder().decode


class Validated(NamedTuple):
    """Validated content of a response, and the problem of an invalid one."""

    content: ResponseContent
    problem: DomainError | None = None


class ResponseValidator:
    """Validates the responses to all activities. For the event loop only."""

    def __init__(self, db: Database, types: Registry, sessions: SessionCache, budget: CacheBudget | None = None) -> None:
        self._types = types
        self._loader = SessionTypeLoader(db, types)
        self._sessions = sessions
        account = (budget or CacheBudget()).account("checks", share=CACHE_SHARE, evict=self._evict_oldest, age=self._age)
        self._checks: ActivityCache[SchemaValidator | None] = ActivityCache(
            db, self._compile_check, MAX_CACHED_CHECKS, account, size_of=_check_size
        )
        self._host_texts: ActivityCache[frozenset[str]] = ActivityCache(
            db, _read_host_texts, MAX_CACHED_TEXTS, account, size_of=_texts_size
        )

    def subscribe(self, bus: EventBus) -> None:
        """Remove all cached values when an epoch begins."""
        bus.subscribe(EpochChanged, lambda _: self.clear_caches())

    async def store(
        self,
        session_id: int,
        activity_id: UUID,
        text: str,
        store: Callable[[ResponseContent], Awaitable[T]],
        locked: Activity | None = None,
    ) -> T:
        """Validate a response and `store` it, again if the activity changed in between.

        Raises:
            InvalidInput, TypeUnavailable: the problem of an invalid response.
            NotFound: the activity was deleted meanwhile.
            ValidationOutdated: it changed during each attempt.
        """
        attempts = 0
        while True:
            content, problem = await self.validate(session_id, activity_id, text, locked)
            if problem:
                raise problem
            try:
                return await store(content)
            except ValidationOutdated as outdated:
                attempts += 1
                if attempts == MAX_ATTEMPTS:
                    raise
                locked = outdated.activity

    async def validate(self, session_id: int, activity_id: UUID, text: str, locked: Activity | None = None) -> Validated:
        """Validate a response, given as compact JSON text, and apply the word filter.

        `locked` is a newer row than memory may have. Without a visible activity there is no
        problem, because the writer rejects the response. Only activities whose type was never
        registered accept any JSON.

        Raises:
            NotFound: the activity was deleted meanwhile.
        """
        state = await self._sessions.find(session_id)
        activity = locked or (state.activities.get(activity_id) if state else None)
        if state is None or activity is None or not activity.is_visible:
            return Validated(ResponseContent(text, revision=0))
        problem = await self._problem(activity, text)
        if problem or not state.session.word_filter.is_on:
            return Validated(ResponseContent(text, revision=activity.revision), problem)
        return Validated(await self._filter(state.session.word_filter, activity, text))

    async def _problem(self, activity: Activity, text: str) -> DomainError | None:
        """Return the problem of a response by the activity's version of its type."""
        if self._types.find_version(activity.type, activity.type_version) is None:
            if not self._types.is_unavailable(activity.type, activity.type_version):
                return None
            await self._loader.load(activity.type, activity.type_version)
            if self._types.is_unavailable(activity.type, activity.type_version):
                return self._types.unavailable(activity.type, activity.type_version)
        check = await self._checks.get(activity)
        if check is None:
            return self._types.unavailable(activity.type, activity.type_version)
        errors = check.errors(_decode(text))
        return InvalidInput(errors=errors) if errors else None

    async def _filter(self, word_filter: WordFilter, activity: Activity, text: str) -> ResponseContent:
        """Return a response with its masked text. Texts of the config are allowed."""
        if (await _mask(text, word_filter)).is_clean:
            return ResponseContent(text, revision=activity.revision)
        masked = await _mask(text, word_filter, await self._host_texts.get(activity))
        if word_filter.mode is FilterMode.HOLD:
            return ResponseContent(text, is_held=not masked.is_clean, revision=activity.revision)
        return ResponseContent(text, masked.text, is_held=masked.in_names, revision=activity.revision)

    def clear_caches(self) -> None:
        """Clear the caches. After a restore, known revisions may have other content."""
        self._checks.clear()
        self._host_texts.clear()

    def _evict_oldest(self) -> bool:
        return self._host_texts.evict_oldest() or self._checks.evict_oldest()

    def _age(self) -> None:
        self._host_texts.age()
        self._checks.age()

    def _compile_check(self, activity: Activity, content: Content) -> SchemaValidator | None:
        activity_type = self._types.find_version(activity.type, activity.type_version)
        return activity_type.response_validator(content.config) if activity_type else None


async def _mask(text: str, word_filter: WordFilter, allowed: Container[str] = ()) -> Masked:
    if len(text) <= MAX_INLINE_CHARACTERS:
        return mask_json(text, word_filter.matcher, allowed)
    return await asyncio.to_thread(mask_json, text, word_filter.matcher, allowed)


def _check_size(content: Content) -> int:
    return CHECK_BYTES + BYTES_PER_CONFIG_BYTE * text_bytes(content.config)


def _texts_size(content: Content) -> int:
    return BYTES_PER_CONFIG_BYTE * text_bytes(content.config)


def _read_host_texts(_: Activity, content: Content) -> frozenset[str]:
    return strings_in(content.config)
