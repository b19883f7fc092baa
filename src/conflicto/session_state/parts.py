"""Parts of a session's state, which packages above this one contribute.

A part is what one package keeps of each session in use. It loads itself in the snapshot of the
session, follows events of its kinds, and reads its share of other processes' commits. An expression
as `state.parts[RecentResponses]` is typed and costs one look-up in a dict.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Self

    from conflicto.platform.db.sequence import FeedHead
    from conflicto.platform.db.transaction import ReadTx
    from conflicto.session_state.state import SessionState

    EventHandler = Callable[[SessionState, Any], None]
    """Applies one event of a commit to a state."""

MAX_LOADED_ROWS = 2_000
"""Limit of rows of one kind read at load, about 10 ms, so that clients close to the head continue
from memory.
"""

MAX_REMOTE_ROWS = 5_000
"""Limit of rows of one kind to catch up with, about 25 ms. A memory that is further behind is
loaded again.
"""


class OwnTimestamps(dict[int, int]):
    """Newest change of each participant's own rows, as far as known."""

    def add(self, participant_id: int, ts: int) -> None:
        """Note a change of a participant's own rows."""
        self[participant_id] = max(ts, self.get(participant_id, 0))


@dataclass(slots=True)
class StateLoad:
    """One load of a session: its snapshot, its head row, and own changes of participants.

    `is_truncated`: a part found more rows than `MAX_LOADED_ROWS`, so own changes are incomplete.
    """

    tx: ReadTx
    head: FeedHead
    own_timestamps: OwnTimestamps = field(default_factory=OwnTimestamps)
    is_truncated: bool = False


class RemoteRows(Protocol):
    """Rows of one part that other processes changed, read in one snapshot."""

    @property
    def is_truncated(self) -> bool:
        """True if some rows were left out."""

    def events(self, state: SessionState) -> Iterator[object]:
        """Yield the changes after the position of a state as events."""


class StatePart:
    """Part of a session's state; `handlers` apply events of a commit, by type.

    `event_fields` are the types of the fields of events that a crowd causes. Workers of one machine
    send them to each other.
    """

    handlers: ClassVar[Mapping[type, EventHandler]] = {}
    event_fields: ClassVar[Mapping[type, Mapping[str, Any]]] = {}

    @classmethod
    def load(cls, load: StateLoad) -> Self:  # noqa: ARG003 - most parts begin empty
        """Return the part of a session that is loaded."""
        return cls()

    @classmethod
    def read_remote(cls, tx: ReadTx, head: FeedHead, after: int) -> RemoteRows | None:  # noqa: ARG003 - see above
        """Read what changed after a position, up to `head`; None if the part keeps no rows."""
        return None

    @property
    def bytes(self) -> int:
        """The approximate memory in bytes."""
        return 0


Part = TypeVar("Part", bound=StatePart)


class PartMap(dict[type[StatePart], StatePart]):
    """Parts of one session by type."""

    if TYPE_CHECKING:

        def __getitem__(self, part_type: type[Part]) -> Part:
            """Return the part of a type."""
