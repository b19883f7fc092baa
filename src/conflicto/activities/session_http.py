"""Endpoint that deletes a session with its activities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conflicto.access.receipts import RESPONSE_HEADERS, Receipts, run_with_deletion
from conflicto.access.roles import HOSTS
from conflicto.activities.queries import session_counts
from conflicto.platform.db.writer import Writer
from conflicto.platform.http.conditional_requests import ConditionInvalid, required_revisions
from conflicto.platform.http.messages import NO_STORE, Request, Response
from conflicto.platform.http.routes import Docs, Route, route
from conflicto.sessions.commands import delete_session
from conflicto.sessions.errors import RevisionStale
from conflicto.sessions.http import CONTROL

if TYPE_CHECKING:
    from conflicto.platform.db.transaction import WriteTx
    from conflicto.sessions.commands import Revisions


@dataclass(frozen=True, slots=True)
class SessionDeletion:
    """Deletion of sessions, with a receipt that counts what they contained."""

    writer: Writer
    receipts: Receipts

    async def delete(self, request: Request, session_id: int) -> Response:
        """Delete the session, which hides it from everyone."""
        revisions, actor = required_revisions(request), request.caller.subject
        counts, deletion = await self.writer.run(
            session_id, run_with_deletion, _count_and_delete, session_id, actor=actor, revisions=revisions
        )
        deletion.counts |= counts
        return Response(204, headers=(NO_STORE, self.receipts.header(deletion)))


def _count_and_delete(tx: WriteTx, session_id: int, *, actor: str, revisions: Revisions) -> dict[str, int]:
    counts = session_counts(tx, session_id)
    delete_session(tx, session_id, actor=actor, revisions=revisions)
    return counts


def routes(deletion: SessionDeletion) -> list[Route]:
    """Return the route of this module."""
    return [
        route("DELETE", "/sessions/{session_id:int}", deletion.delete, roles=HOSTS, policy=CONTROL, tag="sessions",
              docs=Docs(summary="Delete a session and its data", responses={204: None}, response_headers=RESPONSE_HEADERS,
                        headers=("If-Match",), problems=(ConditionInvalid, RevisionStale))),
    ]  # fmt: skip
