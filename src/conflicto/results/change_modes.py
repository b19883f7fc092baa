"""Modes in which a tally applies changes. Each mode returns the next one.

- `Recorded`: other processes write too, and the round is small. Every response is recorded as it
  was counted, because the database does not show what to subtract.
- `ByPosition`: the state before a change comes with it. When each chunk was read decides whether
  the tally counted that state.
- `Invalid`: a changed response has an unknown earlier state. The tally must be counted again.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple, Protocol

from conflicto.platform.cache_budget import text_bytes
from conflicto.platform.sizes import MIB
from conflicto.responses.model import LiveResponse, ParticipantResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from conflicto.results.queries import Chunk

    CountedResponse = LiveResponse | ParticipantResponse
    Count = Callable[[CountedResponse | None, CountedResponse], None]

MAX_RECORDED_RESPONSES = 50_000
MAX_RECORDED_BYTES = 16 * MIB
"""Recorded responses of one round, and the bytes of their texts. Together they take up to 50 MB."""

RECORDED_RESPONSE_BYTES = 700
"""Memory of a recorded response without its text."""


class Change(NamedTuple):
    """A response before and after a commit.

    With `remote_since_ts`, it combines commits of other processes after that position. Then
    `before` is the state at that position, None if unknown.
    """

    before: ParticipantResponse | None
    after: ParticipantResponse
    remote_since_ts: int | None = None


class ChangeMode(Protocol):
    """Applies changes to a tally. `count` replaces one counted response by another."""

    def apply(self, change: Change, count: Count) -> ChangeMode:
        """Apply a change and return the mode for the next one."""

    def detach_author(self, participant_id: int, count: Count) -> ChangeMode:
        """Remove the author from their counted responses, and return the next mode."""

    @property
    def bytes(self) -> int:
        """The memory that the mode needs."""


class RecordedResponses:
    """Responses as they were counted, up to a number and to bytes of text."""

    def __init__(self) -> None:
        self._by_id: dict[UUID, CountedResponse] = {}
        self._text_bytes = 0

    @property
    def bytes(self) -> int:
        """The approximate memory."""
        return len(self._by_id) * RECORDED_RESPONSE_BYTES + self._text_bytes

    @property
    def is_too_large(self) -> bool:
        """True beyond one of the bounds."""
        return len(self._by_id) > MAX_RECORDED_RESPONSES or self._text_bytes > MAX_RECORDED_BYTES

    def put(self, response: CountedResponse) -> None:
        """Record a response."""
        self._by_id[response.id] = response
        self._text_bytes += _text_bytes(response)

    def by_author(self, participant_id: int) -> list[CountedResponse]:
        """Return the recorded responses of an author."""
        return [each for each in self._by_id.values() if each.participant_id == participant_id]

    def take(self, response_id: UUID) -> CountedResponse | None:
        """Remove a response and return it, or None."""
        response = self._by_id.pop(response_id, None)
        if response is not None:
            self._text_bytes -= _text_bytes(response)
        return response


class Recorded:
    """Mode with recorded responses. Beyond their bounds, `otherwise` follows."""

    def __init__(self, responses: RecordedResponses, otherwise: ChangeMode) -> None:
        self._responses = responses
        self._otherwise = otherwise

    @property
    def bytes(self) -> int:
        """The approximate memory of the recorded responses."""
        return self._responses.bytes

    def apply(self, change: Change, count: Count) -> ChangeMode:
        """Replace the recorded revision of a response by a newer one."""
        after = change.after
        before = self._responses.take(after.id)
        if before is not None and before.ts >= after.ts:
            self._responses.put(before)
            return self
        count(before, after)
        if not after.deleted:
            self._responses.put(after)
        return self._otherwise if self._responses.is_too_large else self

    def detach_author(self, participant_id: int, count: Count) -> ChangeMode:
        """Count the author's recorded responses without the author."""
        for before in self._responses.by_author(participant_id):
            after = _without_author(before)
            self._responses.take(before.id)
            self._responses.put(after)
            count(before, after)
        return self


class ByPosition:
    """Mode that compares positions. `chunks` tell when each part of the feed was read."""

    bytes = 0

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self._chunks = chunks
        self._start_ts = chunks[0].start_ts
        self._seen_ts = chunks[-1].seen_ts

    def apply(self, change: Change, count: Count) -> ChangeMode:
        """Apply a change, unless its chunk was read after it."""
        before, after, since_ts = change
        if after.ts <= self._start_ts:
            return self
        if since_ts is None:
            count(before if before is not None and self._includes(before, after) else None, after)
        elif after.created_ts > max(self._start_ts, since_ts):
            count(None, after)
        elif before is not None and since_ts >= self._seen_ts:
            count(before, after)
        else:
            return INVALID
        return self

    def detach_author(self, participant_id: int, count: Count) -> ChangeMode:  # noqa: ARG002 - of the protocol
        """Give up, because the author's responses are unknown."""
        return INVALID

    def _includes(self, before: ParticipantResponse, after: ParticipantResponse) -> bool:
        """Return whether the tally counted `before`: its chunk was read before the change."""
        if before.ts > self._start_ts or after.ts > self._seen_ts:
            return True
        chunk = self._chunks[bisect_left(self._chunks, before.ts, key=attrgetter("through_ts"))]
        return after.ts > chunk.seen_ts


class Invalid:
    """Mode that ignores changes."""

    bytes = 0

    def apply(self, change: Change, count: Count) -> ChangeMode:  # noqa: ARG002 - of the protocol
        """Ignore a change."""
        return self

    def detach_author(self, participant_id: int, count: Count) -> ChangeMode:  # noqa: ARG002 - of the protocol
        """Ignore a departure."""
        return self


INVALID = Invalid()


def _without_author(response: CountedResponse) -> CountedResponse:
    if isinstance(response, LiveResponse):
        return response._replace(participant_id=None)
    return replace(response, participant_id=None)


def _text_bytes(response: CountedResponse) -> int:
    return text_bytes(response.text, response.masked)
