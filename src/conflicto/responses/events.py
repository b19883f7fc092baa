"""What happened to responses: rooms above fold these into results, inside the transaction or after it."""

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
    """Pooled rows of one session as they are now; their authors alone read them. `next_us` is the next look at each activity's pool.

    `dropped` are answers whose rows are gone because their author is. `released` counts the new answers and the edits that left the pool
    for the feed.
    """

    is_unseen: ClassVar[bool] = True

    session_id: int
    rows: Sequence[PooledResponse]
    next_us: Mapping[UUID, int] = field(default_factory=dict)
    dropped: Sequence[UUID] = ()
    released: tuple[int, int] = (0, 0)

    def deletes_unseen(self) -> tuple[str, list[UUID]]:
        """Return the answers that went before their release; edits are none, because the released answer stays."""
        return "responses", [*self.dropped, *(row.id for row in self.rows if row.deleted and not (row.is_spent or row.is_edit))]


@dataclass(frozen=True, slots=True)
class ResponsesChanged:
    """Responses of one session as they are now, in feed order, each with what it was before (None: new)."""

    session_id: int
    changes: Sequence[tuple[ParticipantResponse | None, ParticipantResponse]]

    def deletes(self) -> tuple[str, list[UUID]]:
        """Return the answers that went."""
        return "responses", [after.id for _, after in self.changes if after.deleted]
