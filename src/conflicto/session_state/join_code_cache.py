"""Cache of join codes of sessions in use: a crowd that joins costs one database query."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from conflicto.platform.db.batched_read import BatchedRead
from conflicto.sessions.model import SessionStatus, normalize_code
from conflicto.sessions.queries import sessions_by_code

if TYPE_CHECKING:
    from conflicto.platform.db.engine import Database
    from conflicto.session_state.session_cache import SessionCache
    from conflicto.sessions.model import Session

MAX_CODES = 5_000
"""Limit of cached codes, 200 bytes each; the same as sessions in memory."""


class JoinCodeCache:
    """Session ids by join code, for one process and its event loop.

    The session state in memory decides whether a code still opens its session. It follows local
    commits at once, and those of other processes within 2 s. A join is validated against the
    database.
    """

    def __init__(self, db: Database, sessions: SessionCache) -> None:
        self._sessions_in_memory = sessions
        self._session_ids: OrderedDict[str, int] = OrderedDict()
        self._reads: BatchedRead[str, Session] = BatchedRead(db, sessions_by_code)

    async def find(self, typed: str) -> Session:
        """Return the session with the join code `typed`, in any spelling.

        Raises:
            CodeUnknown: no session can be joined with it.
        """
        code = normalize_code(typed) or ""
        session = self._cached(code)
        if session is None:
            session = await self._reads.read(code)
            self._put(code, session.id)
            await self._sessions_in_memory.find(session.id)
        return session

    def _cached(self, code: str) -> Session | None:
        state = self._sessions_in_memory.cached(self._session_ids.get(code, 0))
        if state is None or state.session.join_code != code or state.session.deleted:
            return None
        return None if state.session.status is SessionStatus.COMPLETED else state.session

    def _put(self, code: str, session_id: int) -> None:
        self._session_ids[code] = session_id
        self._session_ids.move_to_end(code)
        if len(self._session_ids) > MAX_CODES:
            self._session_ids.popitem(last=False)
