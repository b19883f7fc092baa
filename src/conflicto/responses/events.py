"""Events of responses. Packages above process them inside the transaction or after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from conflicto.responses.model import ParticipantResponse
    from conflicto.responses.pool.model import PooledResponse


@dataclass(frozen=True, slots=True)
class ResponsesPooled:
    """Changed rows of one session's pools, visible to their authors only.

    `next_us` is the time of the next release check of each activity. `dropped` are responses
    deleted with their author. `released` counts the new responses and the edits moved to the feed.
    """

    is_unseen: ClassVar[bool] = True

    session_id: int
    rows: Sequence[PooledResponse]
    next_us: Mapping[UUID, int] = field(default_factory=dict)
    dropped: Sequence[UUID] = ()
    released: tuple[int, int] = (0, 0)

    def deletes_unseen(self) -> tuple[str, list[UUID]]:
        """Return the feed section and the ids of responses deleted before their release.

        Edits are not among them, because their released responses stay.
        """
        return "responses", [*self.dropped, *(row.id for row in self.rows if row.deleted and not (row.is_spent or row.is_edit))]


@dataclass(frozen=True, slots=True)
class ResponsesChanged:
    """Changed responses of one session in feed order, as pairs of before (None: new) and after."""

    session_id: int
    changes: Sequence[tuple[ParticipantResponse | None, ParticipantResponse]]

    def deletes(self) -> tuple[str, list[UUID]]:
        """Return the feed section and the ids of deleted responses."""
        return "responses", [after.id for _, after in self.changes if after.deleted]


@dataclass(frozen=True, slots=True)
class RemoteResponsesChanged:
    """Responses that other processes changed after `since`, in feed order.

    They are pairs of the response at `since`, the position of the memory, and the response now.
    None in a pair means that the earlier one is unknown or new.
    """

    session_id: int
    since: int
    changes: Sequence[tuple[ParticipantResponse | None, ParticipantResponse]]
