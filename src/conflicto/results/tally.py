"""A tally: the results of one round of one activity, one state for all live answers (the host's) and one for the visible ones.

While every live answer is visible the two are one object. The first answer that is not parts them.
"""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from unicodedata import unidata_version

import msgspec

from conflicto import __version__
from conflicto.results.folds.base import About, Circumstances
from conflicto.results.folds.score import Score, Scores
from conflicto.results.pointer import MISSING, find
from conflicto.results.spec import spec_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

    from conflicto.results.folds.base import State

NOBODY = 0
"""Author of an answer that was detached from its own."""

_decode = msgspec.json.Decoder().decode


class Basis(NamedTuple):
    """What a tally is made from beside the answers; when it changes, the tally is made anew.

    `knows_authors`: who answered must be known, because they may see the results. `is_moderated`: the two states part at once, since
    answers are likely to be held, hidden or masked; parting later costs a copy of all that was counted.
    """

    aggregate: str | None
    secret: str | None
    started_us: int | None
    duration_seconds: int | None
    knows_authors: bool = False
    is_moderated: bool = False

    @property
    def digest(self) -> bytes:
        """Return what tells this basis from others, 16 bytes; another version of the program, or of Unicode, may count otherwise."""
        parts = (__version__, unidata_version, *self._replace(is_moderated=False))
        return blake2b(msgspec.json.encode(parts), digest_size=16).digest()


class Answered(Protocol):
    """As much of a response as a tally looks at."""

    @property
    def id(self) -> UUID:
        """What votes may name as their target."""

    @property
    def participant_id(self) -> int | None:
        """Its author, None if an anonymous activity's answer was detached."""

    @property
    def received_us(self) -> int:
        """When this revision arrived."""

    @property
    def created_ts(self) -> int:
        """Its first place in the feed."""

    @property
    def deleted(self) -> bool:
        """Whether it is a tombstone, which counts nowhere."""

    @property
    def is_visible(self) -> bool:
        """Whether it counts for others than the host."""

    @property
    def text(self) -> str | None:
        """Its JSON."""

    @property
    def masked(self) -> str | None:
        """What others are shown in its place, None if that is the text itself."""


class Half:
    """One of the two states: how many answers there are, and the state of every fold."""

    def __init__(self, states: list[State]) -> None:
        self.count = 0
        self.states = states

    def take(self, dumped: tuple[int, list[Any]]) -> None:
        """Take in other answers: their number, and the dumps of their states."""
        count, states = dumped
        self.count += count
        for state, each in zip(self.states, states, strict=True):
            state.take(each)


class Tally:
    """The folds of one round. `authors` counts live answers by author, if the basis asks for it.

    The state for others folds what they are shown. Points alone are counted by what was written: a masked word is as right as it was.
    """

    def __init__(self, basis: Basis) -> None:
        self.basis = basis
        self.authors: Counter[int] = Counter()
        secret = None if basis.secret is None else _decode(basis.secret)
        circumstances = Circumstances(secret, basis.started_us, basis.duration_seconds)
        spec = spec_of(basis.aggregate)
        self.names = list(spec)
        self._folds = [(entry.path, entry.fold(circumstances)) for entry in spec.values()]
        self._live = Half([fold.empty() for _, fold in self._folds])
        self._visible = deepcopy(self._live) if basis.is_moderated else self._live

    def change(self, before: Answered | None, after: Answered) -> None:
        """Take over that an answer is now `after`, and was `before` (None: it was not there)."""
        if before is not None and not before.deleted:
            self.remove(before)
        if not after.deleted:
            self.add(after)

    def add(self, response: Answered) -> None:
        """Take in a live answer."""
        for half, reads in self._halves(response):
            half.count += 1
            for state, read in zip(half.states, reads, strict=True):
                if read is not None:
                    state.add(read)
        if self.basis.knows_authors:
            self.authors[response.participant_id or NOBODY] += 1

    def remove(self, response: Answered) -> None:
        """Take back a live answer exactly as it was taken in."""
        for half, reads in self._halves(response):
            half.count -= 1
            for state, read in zip(half.states, reads, strict=True):
                if read is not None:
                    state.remove(read)
        if self.basis.knows_authors:
            self.authors[response.participant_id or NOBODY] -= 1
            if not self.authors[response.participant_id or NOBODY]:
                del self.authors[response.participant_id or NOBODY]

    def half(self, *, is_host: bool) -> Half:
        """Return the state that a caller sees."""
        return self._live if is_host else self._visible

    def points(self, *, is_host: bool) -> Iterator[tuple[int, int]]:
        """Yield the participants who answered what is scored, with their points, once for each `score` of the spec."""
        for state in self.half(is_host=is_host).states:
            if isinstance(state, Scores):
                yield from state.points()

    def dump(self) -> Any:  # noqa: ANN401 - plain values
        """Return all that it holds, as values that msgpack gives back unchanged."""
        parts = [self._live] if self._visible is self._live else [self._live, self._visible]
        return [(half.count, [state.dump() for state in half.states]) for half in parts], dict(self.authors)

    def take(self, dumped: Any) -> None:  # noqa: ANN401 - what `dump` returned
        """Take in all answers of a dumped tally of the same basis, none of which is in this one."""
        parts, authors = dumped
        if len(parts) > 1 and self._visible is self._live:
            self._visible = deepcopy(self._live)
        self._live.take(parts[0])
        if self._visible is not self._live:
            self._visible.take(parts[-1])
        self.authors.update(authors)

    @property
    def is_scored(self) -> bool:
        """Whether the spec gives points."""
        return any(isinstance(state, Scores) for state in self._live.states)

    def _halves(self, response: Answered) -> tuple[tuple[Half, Sequence[Any]], ...]:
        """Return the states that an answer counts in, each with what is read from it there."""
        reads = self._read(response, response.text)
        if response.is_visible and response.masked is None and self._visible is self._live:
            return ((self._live, reads),)
        if self._visible is self._live:
            self._visible = deepcopy(self._live)
        if not response.is_visible:
            return ((self._live, reads),)
        return (self._live, reads), (self._visible, reads if response.masked is None else self._shown(response, reads))

    def _read(self, response: Answered, text: str | None) -> Sequence[Any]:
        if not self._folds:
            return ()
        value = _decode(text or "null")
        about = About(response.participant_id or NOBODY, response.received_us, response.created_ts, str(response.id))
        return [None if (found := find(value, path)) is MISSING else fold.read(found, about) for path, fold in self._folds]

    def _shown(self, response: Answered, reads: Sequence[Any]) -> Sequence[Any]:
        shown = self._read(response, response.masked)
        return [
            read if isinstance(fold, Score) else other for read, other, (_, fold) in zip(reads, shown, self._folds, strict=True)
        ]


def results_of(tally: Tally, *, is_host: bool, is_scored: bool, is_anonymous: bool) -> dict[str, Any]:
    """Return what a caller is told, by name.

    Unless `is_scored`, a `score` tells no more than how many answered: who is right would give the secret away. The best of an anonymous
    activity have no names.
    """
    told = {}
    for name, state in zip(tally.names, tally.half(is_host=is_host).states, strict=True):
        result = state.result()
        if isinstance(state, Scores):
            if not is_scored:
                result |= {"correct": None, "best": []}
            elif is_anonymous:
                result["best"] = [{**each, "participant_id": None} for each in result["best"]]
        told[name] = result
    return told
