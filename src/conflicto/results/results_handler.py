"""Handler of results requests: it reads tallies in memory and caches the responses."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from conflicto.activities.model import Counts, ModerationPolicy, ResultsVisibility
from conflicto.activities.queries import activities_with_contents
from conflicto.aggregation.spec import refers_to_config
from conflicto.platform.http.messages import encode
from conflicto.platform.http.request_body import until_disconnect
from conflicto.platform.instants import rfc3339
from conflicto.platform.problems import FieldError, InvalidInput, NotFound, Unavailable
from conflicto.platform.response_cache.cached_response import VisibleTo
from conflicto.responses.queries import pooled_authors
from conflicto.responses.recent_responses import RecentResponses
from conflicto.results.access import ResultsAccess, are_scores_visible, results_access
from conflicto.results.errors import ResultsHidden
from conflicto.results.live_tally import Body
from conflicto.results.queries import RoundKey
from conflicto.results.tally import TallyInputs, filter_results, results_by_name
from conflicto.results.tally_cache import TallyCache
from conflicto.session_state.state import MAX_SNAPSHOT_AGE_S
from conflicto.session_state.views import View, view_of

if TYPE_CHECKING:
    from conflicto.activities.model import Activity
    from conflicto.feed.poll_handler import PollHandler
    from conflicto.feed.response_builder import ResponseBuilder
    from conflicto.platform.clock import Clock
    from conflicto.platform.db.engine import Database
    from conflicto.platform.http.messages import Request, Response
    from conflicto.platform.response_cache.cached_response import CachedResponse
    from conflicto.results.live_tally import LiveTally
    from conflicto.results.segment_service import SegmentService
    from conflicto.session_state.session_cache import SessionCache
    from conflicto.session_state.state import SessionState

MAX_ATTEMPTS = 5
"""Attempts to load a tally. The host may change the activity, or another process the session,
meanwhile.
"""

COMMIT_POLL_INTERVAL_S = 0.005
MAX_COMMIT_WAIT_S = 1.0
"""Interval and limit of the wait for a commit that the load has read and memory has not."""

MAX_ROUND_DIGITS = 10
"""Digits of a round that are parsed."""

NO_UPPER_BOUND = 2**63


VISIBLE = "visible"


class ResultsView(NamedTuple):
    """View of results.

    `counts_all` includes hidden and held responses. Only hosts see who is right.
    """

    view: View
    counts_all: bool


class RoundSnapshot(NamedTuple):
    """A round with its live tally and the session state that it belongs to."""

    state: SessionState
    activity: Activity
    round_number: int
    live_tally: LiveTally


class ResultsHandler:
    """Builds results responses. One per process, on the event loop."""

    def __init__(
        self,
        db: Database,
        segments: SegmentService,
        sessions: SessionCache,
        polls: PollHandler,
        builder: ResponseBuilder,
        clock: Clock,
    ) -> None:
        self._db = db
        self._segments = segments
        self._sessions = sessions
        self._polls = polls
        self._builder = builder
        self._clock = clock

    async def results(self, request: Request, state: SessionState) -> Response:
        """Return the results of a round.

        Raises:
            NotFound, ResultsHidden: the activity does not exist, or the caller must not see them.
            InvalidInput: the round does not exist.
            Unavailable: the tally had to be loaded, and the database does not respond.
            ClientGone: the client disconnected meanwhile.
        """
        response, _ = await until_disconnect(request, self.response(request, state))
        return response.to_response(request)

    async def response(self, request: Request, state: SessionState) -> tuple[CachedResponse, RoundSnapshot]:
        """Return the cacheable response with the round that it shows; raises as `results` does."""
        view = view_of(request.caller)
        round_snapshot, access = await self._require_access(request, state, view)
        is_filtered = request.query_string != b"" and _is_filtered(request)
        results_view = ResultsView(view, counts_all=view is View.HOST and not is_filtered)
        response = self._polls.cached(request, round_snapshot.state, view)
        if response is None:
            body = await self._body(round_snapshot, results_view)
            is_snapshot = view is View.PARTICIPANT or round_snapshot.live_tally.tally.is_stored
            until_s = body.taken_s + MAX_SNAPSHOT_AGE_S if is_snapshot else float("inf")
            authors = round_snapshot.live_tally.tally.authors
            visible_to = (
                VisibleTo(authors, min_ts=1, max_ts=NO_UPPER_BOUND, default_ts=0) if access is ResultsAccess.AUTHORS else None
            )
            shown = round_snapshot.state
            response = self._builder.status(request, shown, view, body.body, until_s=until_s, visible_to=visible_to)
            self._polls.cache(request, shown, view, shown.position, response)
        return response, round_snapshot

    async def round_tally(self, state: SessionState, activity: Activity, round_number: int) -> RoundSnapshot | None:
        """Return a round with its tally, or None if the state or the activity changed meanwhile."""
        inputs = await self._tally_inputs(state, activity, round_number)
        if inputs is None:
            return None
        live_tally = await state.parts[TallyCache].get(
            self._segments, RoundKey(state.session.id, activity.id, round_number), inputs
        )
        if state.ts < live_tally.seen_ts:
            await self._wait_for_commit(state, live_tally.seen_ts)
        is_current = state.is_current and not live_tally.is_invalid and state.activities.get(activity.id) is activity
        return RoundSnapshot(state, activity, round_number, live_tally) if is_current else None

    async def _require_access(self, request: Request, state: SessionState, view: View) -> tuple[RoundSnapshot, ResultsAccess]:
        """Return the round and the access level of its results; raises `ResultsHidden`."""
        for _ in range(MAX_ATTEMPTS):
            activity = state.activity(request.params["activity_id"], for_host=view is View.HOST)
            round_number = _requested_round(request, activity) if request.query_string else activity.round
            access = (
                ResultsAccess.OPEN
                if view is View.HOST
                else results_access(activity, round_number, _counts_of(state, activity, round_number))
            )
            if access is ResultsAccess.CLOSED or (access is ResultsAccess.AUTHORS and view is View.SCREEN):
                raise ResultsHidden
            round_snapshot = await self.round_tally(state, activity, round_number)
            if round_snapshot is not None:
                if access is ResultsAccess.AUTHORS and not await self._has_answered(round_snapshot, request.caller.participant_id):
                    raise ResultsHidden
                return round_snapshot, access
            state = await self._sessions.get(request.params["session_id"])
        raise Unavailable(retry_after_s=1)

    async def _has_answered(self, round_snapshot: RoundSnapshot, participant_id: int | None) -> bool:
        """Return whether a participant has an answer in a round, released or in the pool."""
        if participant_id is None or round_snapshot.live_tally.tally.authors[participant_id]:
            return participant_id is not None
        round_key = round_snapshot.activity.id, round_snapshot.round_number
        if round_snapshot.activity.anonymous and round_key not in round_snapshot.state.parts[RecentResponses].pooled_authors:
            position = round_snapshot.state.position
            found: set[int] = await self._polls.single_flight(
                round_snapshot.state, ("authors", *round_key), partial(self._db.read, pooled_authors, *round_key)
            )
            if round_snapshot.state.position != position:
                return participant_id in found
            round_snapshot.state.parts[RecentResponses].pooled_authors[round_key] = found
        return participant_id in round_snapshot.state.parts[RecentResponses].pooled_authors.get(round_key, ())

    async def _tally_inputs(self, state: SessionState, activity: Activity, round_number: int) -> TallyInputs | None:
        """Return what the tally of a round is made from, None if the activity changed meanwhile."""
        content = state.configs.get(activity)
        if content is None:
            read = partial(self._db.read, activities_with_contents, [activity.id])
            state.configs.put(await self._polls.single_flight(state, ("contents", activity.id), read))
            content = state.configs.get(activity)
        if content is None:
            return None
        timed = activity if round_number == activity.round else _counts_of(state, activity, round_number)
        return TallyInputs(
            content.aggregate,
            content.secret,
            timed.started_ts,
            timed.duration_seconds,
            counts_authors=activity.results_visibility is ResultsVisibility.AFTER_ANSWER,
            is_moderated=activity.moderation is not ModerationPolicy.OFF or state.session.word_filter.is_on,
            config=content.config if refers_to_config(content.aggregate) else None,
        )

    async def _wait_for_commit(self, state: SessionState, ts: int) -> None:
        """Wait until memory has a commit; after a time limit, load the session again."""
        until_s = self._clock.monotonic_s() + MAX_COMMIT_WAIT_S
        while state.is_current and state.ts < ts:
            if self._clock.monotonic_s() > until_s and await self._sessions.find(state.session.id, fresh=True) is None:
                raise NotFound
            await asyncio.sleep(COMMIT_POLL_INTERVAL_S)

    async def _body(self, round_snapshot: RoundSnapshot, results_view: ResultsView) -> Body:
        """Return the body for a view.

        Participants' bodies are up to 5 s old, so that not every response changes them.
        """
        bodies, now_s = round_snapshot.live_tally.bodies, self._clock.monotonic_s()
        if round_snapshot.live_tally.tally.is_stored:
            return await _stored_body(round_snapshot, results_view, now_s)
        version: object = (round_snapshot.live_tally.change_count, round_snapshot.activity.updated_ts)
        body = bodies.get(results_view)
        if results_view.view is View.PARTICIPANT:
            version = round_snapshot.state.control_ts
            if body is not None and now_s - body.taken_s >= MAX_SNAPSHOT_AGE_S:
                body = None
        if body is None or body.version != version:
            body = bodies[results_view] = Body(version, _tally_body(round_snapshot, results_view), now_s)
        return body


def _counts_of(state: SessionState, activity: Activity, round_number: int) -> Counts:
    return state.counts.get((activity.id, round_number), Counts())


async def _stored_body(round_snapshot: RoundSnapshot, results_view: ResultsView, now_s: float) -> Body:
    """Return the body of a tally that is stored on disk, which is a snapshot for hosts too."""
    live_tally = round_snapshot.live_tally
    snapshot = await live_tally.stored_results(now_s)
    body, version = (
        live_tally.bodies.get(results_view),
        (snapshot.taken_s, round_snapshot.activity.updated_ts, round_snapshot.state.control_ts),
    )
    if body is None or body.version != version:
        count, results = snapshot.results.live if results_view.counts_all else snapshot.results.visible
        shown = filter_results(live_tally.tally.names, results, **_audience(round_snapshot, results_view))
        body = Body(version, _results_body(round_snapshot, results_view, count, shown), snapshot.taken_s)
    is_recent = snapshot.change_count == live_tally.change_count
    body = live_tally.bodies[results_view] = body._replace(taken_s=now_s) if is_recent else body
    return body


def _tally_body(round_snapshot: RoundSnapshot, results_view: ResultsView) -> bytes:
    tally = round_snapshot.live_tally.tally
    results = results_by_name(tally, is_host=results_view.counts_all, **_audience(round_snapshot, results_view))
    return _results_body(round_snapshot, results_view, tally.audience(is_host=results_view.counts_all).count, results)


def _audience(round_snapshot: RoundSnapshot, results_view: ResultsView) -> dict[str, bool]:
    is_scored = results_view.view is View.HOST or are_scores_visible(round_snapshot.activity, round_snapshot.round_number)
    return {"is_scored": is_scored, "is_anonymous": round_snapshot.activity.anonymous}


def _results_body(round_snapshot: RoundSnapshot, results_view: ResultsView, count: int, results: dict[str, Any]) -> bytes:
    state, activity, round_number, _ = round_snapshot
    counts = _counts_of(state, activity, round_number)
    changed_ts = counts.live_changed_ts if results_view.counts_all else counts.visible_changed_ts
    return encode(
        {
            "activity_id": activity.id,
            "round": round_number,
            "response_count": count,
            "last_updated": rfc3339(max(activity.updated_ts, changed_ts)),
            "results": results,
        }
    )


def _is_filtered(request: Request) -> bool:
    """Return whether the query asks for visible responses only; `InvalidInput` for other values."""
    moderation = request.query("moderation")
    if moderation not in {None, VISIBLE}:
        raise InvalidInput(errors=(FieldError("/query/moderation", f'must be "{VISIBLE}"'),))
    return moderation is not None


def _requested_round(request: Request, activity: Activity) -> int:
    """Return the requested or present round; `InvalidInput` if it does not exist."""
    text = request.query("round")
    if text is None:
        return activity.round
    round_number = int(text) if text.isascii() and text.isdecimal() and len(text) < MAX_ROUND_DIGITS else 0
    if not 1 <= round_number <= activity.round:
        raise InvalidInput(errors=(FieldError("/query/round", "must be a round of this activity, from 1 to the present one"),))
    return round_number
