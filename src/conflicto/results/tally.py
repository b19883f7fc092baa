"""The tally of one round: states for all live responses (the host's) and for the visible ones.

Both audiences share one object while every live response is visible. The first other one splits it.
"""

from __future__ import annotations

import weakref
from collections import Counter
from copy import deepcopy
from hashlib import blake2b
from operator import methodcaller
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from unicodedata import unidata_version

import msgspec

from conflicto import __version__
from conflicto.aggregation.operation import ResponseMetadata, RoundContext
from conflicto.aggregation.operations.score import ScoreFold, ScoreState
from conflicto.aggregation.pointer import MISSING, find
from conflicto.aggregation.spec import parse_spec
from conflicto.platform.problems import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

    from conflicto.aggregation.operation import State
    from conflicto.aggregation.spill.store import SpillStore

NO_AUTHOR = 0
"""Author of a response that was detached from its author."""

_result = methodcaller("result")

_decode = msgspec.json.Decoder().decode


COUNTING_RULES_VERSION = 5
"""Version of the rules that compare and count values. Segments of other versions are ignored."""


class TallyInputs(NamedTuple):
    """Inputs of a tally beside the responses. When they change, the tally is rebuilt.

    `counts_authors`: authors are counted, because they may see the results. `is_moderated`: the
    audiences split at once, because a later split copies all counts. `config` is None unless the
    aggregate refers to it.
    """

    aggregate: str | None
    secret: str | None
    started_us: int | None
    duration_seconds: int | None
    counts_authors: bool = False
    is_moderated: bool = False
    config: str | None = None

    @property
    def digest(self) -> bytes:
        """Digest of the inputs, program version and Unicode version, 16 bytes."""
        parts = (__version__, COUNTING_RULES_VERSION, unidata_version, *self._replace(is_moderated=False))
        return blake2b(msgspec.json.encode(parts), digest_size=16).digest()


class CountableResponse(Protocol):
    """The properties of a response that a tally reads."""

    @property
    def id(self) -> UUID:
        """Id, a possible target of votes."""

    @property
    def participant_id(self) -> int | None:
        """Author, None for a detached response of an anonymous activity."""

    @property
    def received_us(self) -> int:
        """Arrival time of this revision, µs since 1970 UTC."""

    @property
    def created_ts(self) -> int:
        """Feed timestamp of the first revision."""

    @property
    def deleted(self) -> bool:
        """True for a tombstone, which is not counted."""

    @property
    def is_visible(self) -> bool:
        """True if audiences other than hosts see it."""

    @property
    def text(self) -> str | None:
        """JSON text."""

    @property
    def masked(self) -> str | None:
        """Masked text for other audiences, None if they see `text`."""


class AudienceTally:
    """Tally of one audience: the number of responses, and the state of every fold.

    `stored` has the numbers of the states on disk, to which the memory part adds. A split tally
    begins with a copy.
    """

    def __init__(self, states: list[State], *, count: int = 0, split_from: AudienceTally | None = None) -> None:
        self.count = count
        self.states = states
        self.stored: list[int] = []
        self._split_from = split_from

    def split(self) -> AudienceTally:
        """Return an independent copy."""
        return AudienceTally(deepcopy(self.states), count=self.count, split_from=self)

    def prepare(self, spill: SpillStore) -> None:
        """Create the states on disk, before the tally that this one was split from can change."""
        if not self.stored:
            source = self._split_from.stored if self._split_from else []
            self.stored = [spill.copy_state(each) for each in source] or [spill.add_state() for _ in self.states]
        self._split_from = None

    def merge(self, dump: tuple[int, list[Any]]) -> None:
        """Merge other responses: their number, and the dumps of their states."""
        count, states = dump
        self.count += count
        for state, each in zip(self.states, states, strict=True):
            state.merge(each)


class StoredResults(NamedTuple):
    """Results of a tally on disk, for hosts (`live`) and for others (`visible`).

    Each is the number of responses, and a list with one result for each name of the spec.
    """

    live: tuple[int, list[dict[str, Any]]]
    visible: tuple[int, list[dict[str, Any]]]


class DetachedTally:
    """The memory part of a tally at one moment, to be stored on disk."""

    def __init__(self, tally: RoundTally, audiences: Sequence[AudienceTally]) -> None:
        self._tally = tally
        self._audiences = [(audience, audience.count, [state.detach() for state in audience.states]) for audience in audiences]

    def store(self, spill: SpillStore) -> None:
        """Add this part to the stored part.

        Raises:
            Unavailable: the stored part was lost with another temporary database.
        """
        tally = self._tally
        if tally.spill not in {None, spill}:
            raise Unavailable(retry_after_s=1)
        if tally.spill is None:
            tally.spill = spill
            weakref.finalize(tally, spill.retire, tally.stored_states)
        for audience, _, _ in self._audiences:
            audience.prepare(spill)
            tally.stored_states += [each for each in audience.stored if each not in tally.stored_states]
        for audience, _, states in self._audiences:
            for state, number in zip(states, audience.stored, strict=True):
                state.store(spill, number)

    def results(self, spill: SpillStore) -> StoredResults:
        """Store this part, and return the results of that moment. Raises as `store` does."""
        self.store(spill)
        results = [
            (count, [state.stored_result(spill, number) for state, number in zip(states, audience.stored, strict=True)])
            for audience, count, states in self._audiences
        ]
        return StoredResults(results[0], results[-1])

    def points(self, spill: SpillStore, *, is_host: bool) -> list[dict[int, int]]:
        """Store this part, and return points by participant for each `score` of the spec.

        Raises as `store` does.
        """
        self.store(spill)
        audience = self._tally.audience(is_host=is_host)
        stored = zip(audience.states, audience.stored, strict=True)
        return [dict(state.stored_points(spill, number)) for state, number in stored if isinstance(state, ScoreState)]


class RoundTally:
    """The folds of one round, and `live`, the tally of hosts.

    With `inputs.counts_authors`, `authors` counts responses by author. The visible state folds
    masked texts. Points are counted by the original text, because a masked word is still correct.
    """

    def __init__(self, inputs: TallyInputs) -> None:
        self.inputs = inputs
        self.authors: Counter[int] = Counter()
        secret, config = (None if text is None else _decode(text) for text in (inputs.secret, inputs.config))
        context = RoundContext(secret, inputs.started_us, inputs.duration_seconds, config)
        spec = parse_spec(inputs.aggregate)
        self.names = list(spec)
        self._folds = [(entry.path, entry.fold(context)) for entry in spec.values()]
        self.live = AudienceTally([fold.empty() for _, fold in self._folds])
        self._visible = self.live.split() if inputs.is_moderated else self.live
        self.is_stored = False
        self.spill: SpillStore | None = None
        self.stored_states: list[int] = []

    @property
    def memory_share(self) -> float:
        """Memory as a share of the bound. Above 1 the tally moves to disk."""
        return sum(state.entries / state.max_entries for audience in self._audiences for state in audience.states)

    def detach(self) -> DetachedTally:
        """Return the memory part, to be stored, and continue empty.

        Results are on disk from now on.
        """
        self.is_stored = True
        return DetachedTally(self, self._audiences)

    @property
    def _audiences(self) -> Sequence[AudienceTally]:
        return [self.live] if self._visible is self.live else [self.live, self._visible]

    def change(self, before: CountableResponse | None, after: CountableResponse) -> None:
        """Replace a response `before` (None: a new one) by `after`."""
        if before is not None and not before.deleted:
            self.remove(before)
        if not after.deleted:
            self.add(after)

    def may_have_author(self, participant_id: int) -> bool:
        """Return whether the tally depends on an author who may have counted responses."""
        return self.authors[participant_id] > 0 if self.inputs.counts_authors else self.is_scored

    def add(self, response: CountableResponse) -> None:
        """Count a live response."""
        for audience, reads in self._reads_by_audience(response):
            audience.count += 1
            for state, read in zip(audience.states, reads, strict=True):
                if read is not None:
                    state.add(read)
        if self.inputs.counts_authors:
            self.authors[response.participant_id or NO_AUTHOR] += 1

    def remove(self, response: CountableResponse) -> None:
        """Remove a live response exactly as it was counted."""
        for audience, reads in self._reads_by_audience(response):
            audience.count -= 1
            for state, read in zip(audience.states, reads, strict=True):
                if read is not None:
                    state.remove(read)
        if self.inputs.counts_authors:
            self.authors[response.participant_id or NO_AUTHOR] -= 1
            if not self.authors[response.participant_id or NO_AUTHOR]:
                del self.authors[response.participant_id or NO_AUTHOR]

    def points_of_each(self, *, is_host: bool) -> list[dict[int, int]]:
        """Return the points by participant, for each `score` of the spec."""
        return [dict(state.points()) for state in self.audience(is_host=is_host).states if isinstance(state, ScoreState)]

    def audience(self, *, is_host: bool) -> AudienceTally:
        """Return the tally of an audience."""
        return self.live if is_host else self._visible

    def points(self, *, is_host: bool) -> Iterator[tuple[int, int]]:
        """Yield participants with their points, once for each `score` of the spec."""
        for state in self.audience(is_host=is_host).states:
            if isinstance(state, ScoreState):
                yield from state.points()

    def dump(self) -> Any:  # noqa: ANN401 - plain values
        """Return the whole tally as values that survive msgpack unchanged."""
        return [(audience.count, [state.dump() for state in audience.states]) for audience in self._audiences], dict(self.authors)

    def merge(self, dump: Any) -> None:  # noqa: ANN401 - what `dump` returned
        """Merge a dumped tally with the same inputs. The two share no responses."""
        parts, authors = dump
        if len(parts) > 1 and self._visible is self.live:
            self._visible = self.live.split()
        self.live.merge(parts[0])
        if self._visible is not self.live:
            self._visible.merge(parts[-1])
        self.authors.update(authors)

    @property
    def is_scored(self) -> bool:
        """True if the spec gives points."""
        return any(isinstance(state, ScoreState) for state in self.live.states)

    def _reads_by_audience(self, response: CountableResponse) -> tuple[tuple[AudienceTally, Sequence[Any]], ...]:
        """Return the audiences that count a response, each with the values read for it."""
        reads = self._read_folds(response, response.text)
        if response.is_visible and response.masked is None and self._visible is self.live:
            return ((self.live, reads),)
        if self._visible is self.live:
            self._visible = self.live.split()
        if not response.is_visible:
            return ((self.live, reads),)
        return (self.live, reads), (self._visible, reads if response.masked is None else self._read_masked(response, reads))

    def _read_folds(self, response: CountableResponse, text: str | None) -> Sequence[Any]:
        if not self._folds:
            return ()
        value = _decode(text or "null")
        metadata = ResponseMetadata(
            response.participant_id or NO_AUTHOR, response.received_us, response.created_ts, str(response.id)
        )
        return [None if (found := find(value, path)) is MISSING else fold.read(found, metadata) for path, fold in self._folds]

    def _read_masked(self, response: CountableResponse, reads: Sequence[Any]) -> Sequence[Any]:
        masked_reads = self._read_folds(response, response.masked)
        return [
            read if isinstance(fold, ScoreFold) else other
            for read, other, (_, fold) in zip(reads, masked_reads, self._folds, strict=True)
        ]


def results_by_name(tally: RoundTally, *, is_host: bool, is_scored: bool, is_anonymous: bool) -> dict[str, Any]:
    """Return the results for a caller, by name.

    Unless `is_scored`, a `score` shows only the number of responses, because correct ones would
    reveal the secret. The best participants of an anonymous activity have no ids.
    """
    results = list(map(_result, tally.audience(is_host=is_host).states))
    if is_scored and not is_anonymous:
        return dict(zip(tally.names, results, strict=True))
    return filter_results(tally.names, results, is_scored=is_scored, is_anonymous=is_anonymous)


def filter_results(
    names: Sequence[str], results: Sequence[dict[str, Any]], *, is_scored: bool, is_anonymous: bool
) -> dict[str, Any]:
    """Return the results that a caller may see, by name."""
    return {
        name: _filter_result(result, is_scored=is_scored, is_anonymous=is_anonymous)
        for name, result in zip(names, results, strict=True)
    }


def _filter_result(result: dict[str, Any], *, is_scored: bool, is_anonymous: bool) -> dict[str, Any]:
    if result["op"] != "score":
        return result
    if not is_scored:
        return {**result, "correct": None, "best": []}
    return {**result, "best": [{**each, "participant_id": None} for each in result["best"]]} if is_anonymous else result
