"""Interface of all operations: a fold reads responses, and a state adds or removes what it read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self, TypeVar

from pydantic import BaseModel, Field

from conflicto.aggregation.pointer import parse

if TYPE_CHECKING:
    from conflicto.aggregation.spill.store import SpillStore

    OptionCheck = Callable[[object], str | None]
    """Returns the fault of an option's value, or None."""

MAX_ENTRIES = 5_000
"""Distinct keys of one tally in memory. Keys have up to 1,024 bytes, so this is 8 MiB at most.
The others are on disk."""

MAX_LISTED = 1_000
"""Entries listed in one result. `others` sums up the rest."""

T = TypeVar("T")


class ResponseMetadata(NamedTuple):
    """Metadata of a response.

    `received_us` is the time of its newest revision, `created_ts` that of its first.
    """

    participant_id: int
    received_us: int
    created_ts: int
    response_id: str


class RoundContext(NamedTuple):
    """Context of a round: the activity's secret and config, its start and planned duration."""

    secret: object = None
    started_us: int | None = None
    duration_seconds: int | None = None
    config: object = None


class State(Protocol):
    """The fold of some responses. `answers` counts those with a usable value."""

    answers: int
    max_entries: int
    """Maximum number of entries in memory for this state alone. A tally adds up the shares of
    its states."""

    @property
    def entries(self) -> int:
        """The number of entries in memory."""

    def add(self, read: Any) -> None:  # noqa: ANN401 - what the same op's `read` returned
        """Add what the fold read from a response."""

    def remove(self, read: Any) -> None:  # noqa: ANN401 - what the same op's `read` returned
        """Remove what was added before."""

    def result(self) -> dict[str, Any]:
        """Return the result as JSON values."""

    def dump(self) -> Any:  # noqa: ANN401 - each op's own
        """Return the whole state as values that survive msgpack unchanged."""

    def merge(self, dump: Any) -> None:  # noqa: ANN401 - what the same op's `dump` returned
        """Add all responses of a dumped state. The two states share none."""

    def detach(self) -> Self:
        """Return the memory part as a separate state to store. This state holds later changes."""

    def store(self, spill: SpillStore, state: int) -> None:
        """Add the memory part to the stored part. For detached states only."""

    def stored_result(self, spill: SpillStore, state: int) -> dict[str, Any]:
        """Return the result of the stored part, as `result` would.

        For the state detached and stored last.
        """


class Fold(Protocol):
    """One operation with its options."""

    def read(self, value: object, metadata: ResponseMetadata) -> Any | None:  # noqa: ANN401 - each op's own
        """Return the contribution of a response, None if its value is unusable. Never raises."""

    def empty(self) -> State:
        """Return an empty state."""


class OperationResult(BaseModel):
    """Base of all results; `op` names the operation."""

    answers: int = Field(description="Number of responses with a usable value at the path.")


@dataclass(frozen=True, slots=True)
class Operation:
    """Declaration of an operation: its fold factory, result schema and options.

    `check_together` returns the fault of options that are valid one by one. `config_options` may be
    a JSON pointer into the activity's config. `answer_options` are pointers into an answer, each
    with the pointer from the path to where it begins.
    """

    build: Callable[[Mapping[str, Any], RoundContext], Fold]
    result: type[OperationResult]
    options: Mapping[str, OptionCheck] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    check_together: OptionCheck = lambda _: None
    config_options: frozenset[str] = frozenset()
    answer_options: Mapping[str, str] = field(default_factory=dict)


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


def check_pointer(value: object) -> str | None:
    """Check an option that is a JSON pointer."""
    return None if isinstance(value, str) and parse(value) is not None else "must be a JSON pointer"


def one_of_check(*names: str) -> OptionCheck:
    """Return the check of an option that is one of some names."""
    allowed = ", ".join(f'"{name}"' for name in names[:-1]) + f' or "{names[-1]}"'
    return lambda value: None if value in names else f"must be {allowed}"
