"""Handler of leaderboard requests.

It sums the tallies of the scored activities and caches the board until one changes.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from conflicto.activities.model import ResultsVisibility
from conflicto.activities.queries import activities_with_contents
from conflicto.feed.poll_handler import MAX_CONFIGS_PER_READ, page_limit
from conflicto.feed.schemas import MAX_LIMIT
from conflicto.participants.queries import present_seats
from conflicto.platform.http.messages import encode
from conflicto.platform.problems import Unavailable
from conflicto.results.access import are_scores_visible
from conflicto.results.leaderboard import LeaderboardCache, LeaderboardSnapshot, rank_participants
from conflicto.session_state.views import View, view_of

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from conflicto.activities.model import Activity
    from conflicto.feed.poll_handler import PollHandler
    from conflicto.feed.response_builder import ResponseBuilder
    from conflicto.platform.db.engine import Database
    from conflicto.platform.db.transaction import ReadTx
    from conflicto.platform.http.messages import Request, Response
    from conflicto.results.leaderboard import LeaderboardRow
    from conflicto.results.results_handler import ResultsHandler, RoundSnapshot
    from conflicto.session_state.session_cache import SessionCache
    from conflicto.session_state.state import SessionState
    from conflicto.sessions.word_filter import WordFilter

MAX_ATTEMPTS = 5
"""Attempts to load the tallies, because the host may continue meanwhile."""

DEPARTED_NICKNAME = ""
"""Nickname of a participant who left while the board was built. The next board omits them."""


class LeaderboardHandler:
    """Builds leaderboard responses. One per process, on the event loop."""

    def __init__(
        self, db: Database, sessions: SessionCache, polls: PollHandler, results: ResultsHandler, builder: ResponseBuilder
    ) -> None:
        self._db = db
        self._sessions = sessions
        self._polls = polls
        self._results = results
        self._builder = builder

    async def leaderboard(self, request: Request, state: SessionState) -> Response:
        """Answer with the first places, and with the caller's own if they are a participant.

        Raises:
            NotFound: the session is gone.
            InvalidInput: the limit is none.
            Unavailable: answers had to be counted, and the database does not answer.
        """
        limit, view = page_limit(request), view_of(request.caller)
        cached = None if view is View.PARTICIPANT else self._polls.cached(request, state, view)
        if cached is not None:
            return cached.to_response(request)
        state, board, is_current = await self._board(state, is_host=view is View.HOST)
        body = _body(board, limit)
        if view is View.PARTICIPANT:
            body["me"] = _own_place(board.by_participant.get(request.caller.participant_id))
        response = self._builder.status(request, state, view, encode(body))
        if is_current and view is not View.PARTICIPANT:
            self._polls.cache(request, state, view, state.position, response)
        return response.to_response(request)

    async def points(self, session_id: int, participant_id: int) -> int | None:
        """Return a participant's visible points, or None while they are not ranked.

        Raises:
            NotFound, Unavailable: as above.
        """
        _, board, _ = await self._board(await self._sessions.get(session_id), is_host=False)
        row = board.by_participant.get(participant_id)
        return None if row is None else row.points

    async def _board(self, state: SessionState, *, is_host: bool) -> tuple[SessionState, LeaderboardSnapshot, bool]:
        """Return the board and whether it is current.

        Responses may arrive while nicknames are read.
        """
        for _ in range(MAX_ATTEMPTS):
            rounds = await self._scored_rounds(state, is_host=is_host)
            if rounds is None:
                state = await self._sessions.get(state.session.id)
                continue
            version = _board_version(state, rounds, is_host=is_host)
            board = state.parts[LeaderboardCache].snapshots.get(is_host)
            if board is None or board.version != version:
                board = state.parts[LeaderboardCache].snapshots[is_host] = await self._build_board(
                    state, rounds, version, is_host=is_host
                )
            return state, board, state.is_current and _board_version(state, rounds, is_host=is_host) == version
        raise Unavailable(retry_after_s=1)

    async def _scored_rounds(self, state: SessionState, *, is_host: bool) -> Sequence[RoundSnapshot] | None:
        """Return the present rounds of the scored activities that count for a caller.

        None means that the session changed meanwhile.
        """
        counting = [each for each in state.activities.values() if _is_counted(each, is_host=is_host)]
        unknown = state.parts[LeaderboardCache].missing(counting)
        for start in range(0, len(unknown), MAX_CONFIGS_PER_READ):
            part = unknown[start : start + MAX_CONFIGS_PER_READ]
            read = partial(self._db.read, activities_with_contents, part)
            state.parts[LeaderboardCache].add(await self._polls.single_flight(state, ("contents", *part), read))
        if unknown and state.parts[LeaderboardCache].missing(counting):
            return None
        found = []
        for activity in counting:
            if state.parts[LeaderboardCache].is_scored(activity):
                rounds = await self._results.round_tally(state, activity, activity.round)
                if rounds is None:
                    return None
                found.append(rounds)
        return found if state.is_current else None

    async def _build_board(
        self, state: SessionState, rounds: Sequence[RoundSnapshot], version: object, *, is_host: bool
    ) -> LeaderboardSnapshot:
        parts = [part for each in rounds for part in await each.live_tally.points(is_host=is_host)]
        rows, by_participant = await asyncio.to_thread(_rank, parts, state.departed)
        ids = [each.participant_id for each in rows[:MAX_LIMIT]]
        nicknames = await self._db.read(_nicknames, ids) if ids else {}
        if not is_host:
            nicknames = await asyncio.to_thread(_shown_names, state.session.word_filter, nicknames)
        return LeaderboardSnapshot(version, rows, by_participant, nicknames)


def _board_version(state: SessionState, rounds: Sequence[RoundSnapshot], *, is_host: bool) -> object:
    filtered = None if is_host else state.session.word_filter
    return (
        state.seat_changes,
        filtered,
        *((each.activity.id, each.round_number, each.live_tally, each.live_tally.change_count) for each in rounds),
    )


def _is_counted(activity: Activity, *, is_host: bool) -> bool:
    """Return whether a caller may see an activity's points.

    Points of an anonymous one are never counted, because they would reveal its authors.
    """
    if activity.deleted or activity.anonymous or activity.started_ts is None:
        return False
    return is_host or (activity.results_visibility is not ResultsVisibility.HOST and are_scores_visible(activity, activity.round))


def _rank(parts: Sequence[Mapping[int, int]], departed: Container[int]) -> tuple[list[LeaderboardRow], dict[int, LeaderboardRow]]:
    """Return all standings, as a list and by participant.

    Sorts a whole crowd, so it runs in a thread.
    """
    rows = rank_participants(parts, departed)
    return rows, {each.participant_id: each for each in rows}


def _shown_names(word_filter: WordFilter, nicknames: Mapping[int, str]) -> dict[int, str]:
    return {participant_id: word_filter.mask_name(name) for participant_id, name in nicknames.items()}


def _nicknames(tx: ReadTx, ids: Sequence[int]) -> dict[int, str]:
    return {participant_id: seat.nickname for participant_id, seat in present_seats(tx, ids).items()}


def _body(board: LeaderboardSnapshot, limit: int) -> dict[str, Any]:
    items = [
        {
            "participant_id": each.participant_id,
            "nickname": board.nicknames.get(each.participant_id, DEPARTED_NICKNAME),
            "points": each.points,
            "rank": each.rank,
        }
        for each in board.rows[:limit]
    ]
    return {"items": items, "total": len(board.rows)}


def _own_place(row: LeaderboardRow | None) -> dict[str, int] | None:
    return None if row is None else {"points": row.points, "rank": row.rank}
