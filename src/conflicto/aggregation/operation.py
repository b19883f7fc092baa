"""Interface of all operations: a fold reads an answer, and adds what it read to a state or removes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self, TypeVar

from pydantic import BaseModel, Field

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflicto.aggregation.spill.store import SpillStore

    OptionCheck = Callable[[object], str | None]
    """Says what is wrong with the value of an option, or None."""

MAX_ENTRIES = 5_000
"""Distinct keys of one tally in memory; keys have up to 1,024 bytes, so these are 8 MiB at most. The others are on disk."""

MAX_LISTED = 1_000
"""Entries of one result that are told; how much lies beyond them is told as `others`."""

T = TypeVar("T")


class ResponseMetadata(NamedTuple):
    """What an answer is beside its JSON. `received_us` and `created_ts` say when its newest revision, and its first, was sent."""

    participant_id: int
    received_us: int
    created_ts: int
    response_id: str


class RoundContext(NamedTuple):
    """Facts of the activity that an op may need: its secret, when the round began and how long it was to take, and its config."""

    secret: object = None
    started_us: int | None = None
    duration_seconds: int | None = None
    config: object = None


class State(Protocol):
    """The fold of some answers. `answers` counts those in which something usable was read."""

    answers: int
    max_entries: int
    """Entries that memory holds at most, as far as this state alone is concerned; a tally adds up the shares of its states."""

    @property
    def entries(self) -> int:
        """How many entries memory holds."""

    def add(self, read: Any) -> None:  # noqa: ANN401 - what the same op's `read` returned
        """Take in what was read from an answer."""

    def remove(self, read: Any) -> None:  # noqa: ANN401 - what the same op's `read` returned
        """Take back what was added before."""

    def result(self) -> dict[str, Any]:
        """Return the result as it goes over the wire."""

    def dump(self) -> Any:  # noqa: ANN401 - each op's own
        """Return all that it holds, as values that msgpack gives back unchanged."""

    def merge(self, dump: Any) -> None:  # noqa: ANN401 - what the same op's `dump` returned
        """Take in all answers of a dumped state, none of which is in this one."""

    def detach(self) -> Self:
        """Return what memory holds as a state of its own, to be stored; from now on this one holds what comes on top of it."""

    def store(self, spill: SpillStore, state: int) -> None:
        """Add what memory holds to what is stored. Of a detached state alone."""

    def stored_result(self, spill: SpillStore, state: int) -> dict[str, Any]:
        """Return the result of what is stored, as `result` would; of the state that was detached and stored last."""


class Fold(Protocol):
    """One op with its options."""

    def read(self, value: object, metadata: ResponseMetadata) -> Any | None:  # noqa: ANN401 - each op's own
        """Return what an answer contributes, None if the value is of no use; never raises."""

    def empty(self) -> State:
        """Return the state of no answers."""


class OperationResult(BaseModel):
    """Base of all results; `op` names the operation."""

    answers: int = Field(description="Responses in which the path led to something of use.")


@dataclass(frozen=True, slots=True)
class Operation:
    """Declaration of an operation: how it is made, the schema of its results, and which options it takes.

    `needed` options are required, and `agree` says what is wrong with options that fit one by one. `of_config` names those that may be a
    JSON pointer into the activity's config.
    """

    build: Callable[[Mapping[str, Any], RoundContext], Fold]
    result: type[OperationResult]
    options: Mapping[str, OptionCheck] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    check_together: OptionCheck = lambda _: None
    config_options: frozenset[str] = frozenset()


def whole_number_check(minimum: int, maximum: int) -> OptionCheck:
    """Return the check of an option that is a whole number."""

    def check(value: object) -> str | None:
        fits = isinstance(value, int) and not isinstance(value, bool) and minimum <= value <= maximum
        return None if fits else f"must be a whole number from {minimum} to {maximum}"

    return check


def check_number(value: object) -> str | None:
    """Check an option that is a number."""
    return None if isinstance(value, (int, float)) and not isinstance(value, bool) else "must be a number"


def check_boolean(value: object) -> str | None:
    """Check an option that is true or false."""
    return None if isinstance(value, bool) else "must be true or false"


def first_entries(entries: Iterable[T], limit: int, key: Callable[[T], Any]) -> list[T]:
    """Return the first of the entries in the order of `key`, without sorting the rest."""
    return nsmallest(limit, entries, key=key)
