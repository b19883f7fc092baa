"""Limits of stored responses for each session, and for each participant in a round.

The first limit reads the counter in the session's head row, the second counts rows occasionally.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conflicto.responses import store
from conflicto.responses.errors import AnsweredTooOften, AnswersFull
from conflicto.responses.pool import store as pool
from conflicto.sessions.storage_quota import WARNING_SHARE, is_near_limit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflicto.activities.model import Activity
    from conflicto.platform.db.transaction import WriteTx
    from conflicto.platform.problems import DomainError

MAX_TRACKED = 50_000
"""Tracked pairs of participant and round, about 10 MiB. Beyond that, all are counted again."""


@dataclass(frozen=True, slots=True)
class Caps:
    """Maximum response rows of a session, and of one participant in a round; 0 means no limit.

    `session_bytes` is the limit of a session's stored bytes. Deleted responses count, because their
    rows stay until the session is purged.
    """

    per_session: int = 2_000_000
    per_participant: int = 1_000
    session_bytes: int = 0

    def is_near(self, rows: int, stored_bytes: int) -> bool:
        """Return whether a session has reached four fifths of a limit. Its host is warned then."""
        return 0 < self.per_session * WARNING_SHARE <= rows or is_near_limit(stored_bytes, self.session_bytes)


class ResponseCapacity:
    """Applies the limits with few counts of rows. For the writer's thread only.

    A count allows half of the remaining responses, so a participant is counted a dozen times on the
    way to the limit. In a round that began while this process ran, new participants have no rows
    and need no count. A round that is reopened after a restart counts as such a round.

    The next count corrects effects of rollbacks and other workers. No participant is rejected
    without a current count. W workers accept at most W / 2 times the limit.
    """

    def __init__(self, caps: Caps) -> None:
        self._caps = caps
        self._allowances: dict[tuple[int, int, int], int] = {}
        self._since_us: int | None = None

    def refresh(self, tx: WriteTx, activity: Activity, authors: Iterable[int]) -> None:
        """Count the rows of authors without an allowance.

        Call it once for a group of submissions, before `reserve`.
        """
        if not self._caps.per_participant:
            return
        if self._since_us is None or len(self._allowances) > MAX_TRACKED:
            self._allowances.clear()
            self._since_us = tx.now_us
        has_no_older_rows = (activity.started_ts or 0) > self._since_us
        uncounted = []
        for each in authors:
            allowed = self._allowances.get((each, activity.id.int, activity.round))
            if allowed is None and has_no_older_rows:
                self._set_allowance(activity, each, 0)
            elif not allowed:
                uncounted.append(each)
        if uncounted:
            rows = store.count_by_participant(tx, activity.id, activity.round, uncounted)
            pooled = pool.count_by_participant(tx, activity.id, activity.round, uncounted) if activity.anonymous else {}
            for each in uncounted:
                self._set_allowance(activity, each, rows.get(each, 0) + pooled.get(each, 0))

    def reserve(self, activity: Activity, author: int, *, session_rows: int, limits_participant: bool) -> DomainError | None:
        """Return the error of a limit that forbids a new row, or None after counting the row.

        `session_rows` is the current number of rows of the session, pooled ones included.
        `limits_participant` applies the limit of the participant too.
        """
        if self._caps.per_session and session_rows >= self._caps.per_session:
            return AnswersFull()
        if limits_participant and self._caps.per_participant:
            key = (author, activity.id.int, activity.round)
            allowed = self._allowances[key]
            if allowed < 1:
                return AnsweredTooOften()
            self._allowances[key] = allowed - 1
        return None

    def _set_allowance(self, activity: Activity, author: int, rows: int) -> None:
        self._allowances[author, activity.id.int, activity.round] = max(0, self._caps.per_participant - rows + 1) // 2
