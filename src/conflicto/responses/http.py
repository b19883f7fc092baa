"""HTTP endpoints of responses. All participants submit at once when a question opens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from conflicto.access.receipts import RESPONSE_HEADERS, Deletion, Receipts, run_with_deletion, run_with_deletion_for_author
from conflicto.access.roles import HOSTS, HOSTS_AND_PARTICIPANTS, PARTICIPANTS, Role
from conflicto.activities.model import Activity
from conflicto.activities.queries import activity_by_id
from conflicto.activity_types.errors import TypeUnavailable
from conflicto.participants.errors import SeatGone
from conflicto.participants.queries import flood_size
from conflicto.platform.clock import Clock
from conflicto.platform.db.batched_read import MAX_BATCH_PAGES, BatchedRead, deduplicated
from conflicto.platform.db.batches import SharedBatch
from conflicto.platform.db.engine import Database
from conflicto.platform.db.transaction import ReadTx, WriteTx
from conflicto.platform.db.writer import Writer
from conflicto.platform.http.messages import NO_STORE, Concealment, Request, Response, json_response
from conflicto.platform.http.paging import MAX_PAGE_BYTES, PageQuery, after_key, page_response
from conflicto.platform.http.routes import PREFIX, Docs, Route, route
from conflicto.platform.limits.bucket import Policy
from conflicto.platform.limits.concurrency import ConcurrencyLimit
from conflicto.platform.problems import DomainError, NotFound
from conflicto.platform.row_batch import RowBatch
from conflicto.platform.strict_json import RESPONSE_LIMITS, JsonInvalid
from conflicto.responses import errors, schemas
from conflicto.responses.capacity import ResponseCapacity
from conflicto.responses.commands import change
from conflicto.responses.commands.flood import NOTHING_CLEARED, clear_flood, record_cleared
from conflicto.responses.commands.submit import Submission, SubmitResult, submit_many
from conflicto.responses.model import Moderation, ParticipantResponse, ResponseContent
from conflicto.responses.queries import (
    ResponseFilter,
    own_response,
    own_responses,
    parse_pattern,
    response_by_id,
    response_page,
)
from conflicto.responses.validation import ResponseValidator
from conflicto.sessions.errors import IdempotencyKeyInvalid, KeyReused, SessionCompleted, StorageFull
from conflicto.sessions.http import CONTROL
from conflicto.sessions.idempotency import store as idempotency
from conflicto.sessions.idempotency.store import key_from

SUBMIT = Policy("submit", 120, 60, shared=True)
"""Two submissions a second with a burst of 120: enough for a person who taps on an emoji wall."""

_RESPONSES = "/sessions/{session_id:int}/activities/{activity_id:uuid}/responses"
SUBMIT_ROUTE = PREFIX + "/sessions/{session_id}/activities/{activity_id}/responses"
"""Route of submissions, as metrics name it."""

MAX_SCANS = 2
MAX_SCANS_OF_TOKEN = 1
"""Maximum concurrent lists with a `contains` filter, in this process and of one token."""

SCAN_RETRY_S = 2
"""`Retry-After` of a list that found no free slot, seconds."""

MAX_FLOOD_STEPS = 40
"""Maximum transactions of one request that removes a flood, up to 1,000 seats in all."""


def _scan_slots() -> ConcurrencyLimit:
    return ConcurrencyLimit(MAX_SCANS, MAX_SCANS_OF_TOKEN, key_error=errors.ScanRunning, total_error=errors.ScansBusy)


class OwnPageQuery(NamedTuple):
    """Query for a page of one participant's own responses to an activity."""

    session_id: int
    activity_id: UUID
    participant_id: int
    limit: int
    offset: int
    after: int


@dataclass(frozen=True, slots=True)
class ResponseEndpoints:
    """Endpoints that submit, read, change and delete responses."""

    db: Database
    writer: Writer
    clock: Clock
    validator: ResponseValidator
    capacity: ResponseCapacity
    receipts: Receipts
    scans: ConcurrencyLimit = field(default_factory=_scan_slots)
    store_many: Callable[[WriteTx, Sequence[Submission]], list[SubmitResult | DomainError]] = field(init=False)
    own_pages: BatchedRead[OwnPageQuery, RowBatch[ParticipantResponse]] = field(init=False)

    def __post_init__(self) -> None:
        """Create the batch of submissions, and the reads that participants share."""
        object.__setattr__(self, "store_many", partial(submit_many, capacity=self.capacity))
        self.writer.batches.register(
            SharedBatch("submit", self.store_many, item=Submission, keys=tuple[tuple[bytes, int] | bytes, ...], value=SubmitResult)
        )
        object.__setattr__(self, "own_pages", BatchedRead(self.db, deduplicated(_read_own_page), max_batch=MAX_BATCH_PAGES))

    async def submit(self, request: Request, body: schemas.ResponseIn) -> Response:
        """Store a response and acknowledge it once it is durable."""
        caller, activity_id, key = request.caller, request.params["activity_id"], _idempotency_key(request)
        content, problem = await self.validator.validate(caller.session_id, activity_id, body.response_data)
        if problem and not await self.is_replay(request):
            raise problem
        item = Submission(caller.session_id, activity_id, caller.participant_id, content, self.clock.wall_us(), key)
        keys = ((activity_id.bytes, caller.participant_id), *((key.id,) if key else ()))
        submit = partial(self.writer.submit, caller.session_id, self.store_many, keys=keys, is_repeatable=key is not None)
        try:
            result: SubmitResult = await submit(item)
        except errors.ValidationOutdated as outdated:
            result = await self.validator.store(
                caller.session_id,
                activity_id,
                body.response_data,
                lambda newer: submit(item._replace(content=newer)),
                outdated.activity,
            )
        request.concealment = Concealment.UNTIL_RELEASE if result.is_private else None
        return json_response(schemas.response_out(result.response, anonymous=False), status=result.status)

    async def is_replay(self, request: Request) -> bool:
        """Return whether the idempotency key of a request is stored.

        A repeated request skips rate limit and validation, because the first one passed both.
        """
        return await self.db.read(idempotency.is_known, _idempotency_key(request))

    async def page(self, request: Request, session_id: int, activity_id: UUID, query: schemas.ResponseListQuery) -> Response:
        """List the responses to an activity for the host, in feed order."""
        contains = None if query.contains is None else parse_pattern(query.contains)
        response_filter = ResponseFilter(round_number=query.round, participant_id=query.participant_id, contains=contains)
        with nullcontext() if contains is None else self.scans.slot(request.caller.subject, retry_after_s=SCAN_RETRY_S):
            found, total, activity = await self.db.lists.read(_read_page, request, activity_id, response_filter, query)
        return page_response(
            request, query, found.rows, total, show=lambda each: schemas.response_out(each, anonymous=activity.anonymous), key=_page_key,
            is_cut=found.is_cut,
        )  # fmt: skip

    async def mine(self, request: Request, session_id: int, activity_id: UUID, query: PageQuery) -> Response:
        """List the caller's own responses to an activity."""
        (after,) = after_key(request, query, int) or (0,)
        caller = request.caller
        page = OwnPageQuery(caller.session_id, activity_id, caller.participant_id, query.limit, query.offset, after)
        found = await self.own_pages.read(page)
        return page_response(
            request,
            query,
            found.rows,
            None,
            show=lambda each: schemas.response_out(each, anonymous=False),
            key=_page_key,
            is_cut=found.is_cut,
        )

    async def read(self, request: Request, session_id: int, activity_id: UUID, response_id: UUID) -> Response:
        """Return one response to its author or the host."""
        response, activity = await self.db.read(_find_readable, request, activity_id, response_id)
        return _to_response(request, response, activity)

    async def edit(
        self, request: Request, session_id: int, activity_id: UUID, response_id: UUID, body: schemas.ResponseIn
    ) -> Response:
        """Replace the caller's own response while the activity is open."""
        _, activity = await self.db.read_unmeasured(_find_readable, request, activity_id, response_id)

        async def store(content: ResponseContent) -> ParticipantResponse:
            return await self.writer.run(
                session_id, change.edit_response, response_id, participant_id=request.caller.participant_id, content=content,
                received_us=self.clock.wall_us(),
            )  # fmt: skip

        edited = await self.validator.store(session_id, activity_id, body.response_data, store)
        request.concealment = Concealment.UNTIL_RELEASE if activity.anonymous else None
        return _to_response(request, edited, activity)

    async def delete(self, request: Request, session_id: int, activity_id: UUID, response_id: UUID) -> Response:
        """Delete a response: participants their own while the activity is open, hosts any."""
        _, activity = await self.db.read_unmeasured(_find_readable, request, activity_id, response_id)
        is_own = request.caller.role is Role.PARTICIPANT
        if is_own:
            author = request.caller.participant_id
            _, deletion = await self.writer.run(
                session_id, run_with_deletion_for_author, change.withdraw_response, response_id, participant_id=author
            )
        else:
            _, deletion = await self.writer.run(
                session_id, run_with_deletion, change.remove_response, response_id, activity_id=activity_id
            )
        request.concealment = Concealment.UNTIL_RELEASE if is_own and activity.anonymous else None
        return Response(204, headers=(NO_STORE, self.receipts.header(deletion)))

    async def moderate(
        self, request: Request, session_id: int, activity_id: UUID, response_id: UUID, body: schemas.ModerationIn
    ) -> Response:
        """Show, hold or hide a response."""
        _, activity = await self.db.read(_find_readable, request, activity_id, response_id)
        moderated = await self.writer.run(
            session_id, change.moderate_response, response_id, body.moderation, activity_id=activity_id
        )
        return _to_response(request, moderated, activity)

    async def reset(self, request: Request, session_id: int, activity_id: UUID) -> Response:
        """Delete the responses of the current round; each leaves a tombstone."""
        _, deletion = await self.writer.run(session_id, run_with_deletion, change.reset_round, activity_id, session_id=session_id)
        return Response(204, headers=(NO_STORE, self.receipts.header(deletion)))

    async def remove_flood(self, request: Request, session_id: int, body: schemas.FloodIn) -> Response:
        """Remove all participants that match a filter, or only count them."""
        flood, erase = body.flood(), body.responses == "delete"
        seats, responses, deletion = 0, 0, Deletion()
        for _ in range(0 if body.preview else MAX_FLOOD_STEPS):
            step, deleted = await self.writer.run(
                session_id, run_with_deletion, clear_flood, session_id, flood, erase_responses=erase
            )
            deletion.merge(deleted)
            seats, responses = seats + step.seats, responses + step.responses
            if step == NOTHING_CLEARED:
                break
        if seats:
            await self.writer.run(session_id, record_cleared, session_id, seats, actor=request.caller.subject)
        matching = await self.db.read(flood_size, session_id, flood)
        receipt = () if body.preview else (self.receipts.header(deletion),)
        removal = {"removed": seats, "responses_deleted": responses, "matching": matching}
        return json_response(removal, headers=(NO_STORE, *receipt))


@dataclass(frozen=True, slots=True)
class FocusEndpoints:
    """Endpoint that enlarges a response on the screen."""

    db: Database
    writer: Writer

    async def focus(self, request: Request, session_id: int, activity_id: UUID, body: schemas.FocusIn) -> Response:
        """Enlarge one response on the screen; null ends that."""
        await self.db.read(activity_by_id, activity_id, session_id=session_id)
        await self.writer.run(session_id, change.focus_response, activity_id, body.response_id)
        return json_response({"response_id": body.response_id})


def _idempotency_key(request: Request) -> idempotency.Key | None:
    header = request.header(b"idempotency-key")
    if header is None:
        return None
    route = f"{request.route.name} {request.params['activity_id']}"
    return key_from(header, subject=request.caller.subject, route=route, body=request.body)


def _read_page(
    tx: ReadTx, request: Request, activity_id: UUID, response_filter: ResponseFilter, query: PageQuery
) -> tuple[RowBatch[ParticipantResponse], int | None, Activity]:
    activity = activity_by_id(tx, activity_id, session_id=request.params["session_id"])
    if activity.anonymous and response_filter.participant_id is not None:
        raise errors.AuthorHidden
    (after,) = after_key(request, query, int) or (0,)
    found, total = response_page(
        tx, activity_id, response_filter, limit=query.limit, offset=query.offset, after=after, max_characters=MAX_PAGE_BYTES
    )
    return found, total, activity


def _page_key(response: ParticipantResponse) -> tuple[int]:
    return (response.ts,)


def _read_own_page(tx: ReadTx, page: OwnPageQuery) -> RowBatch[ParticipantResponse]:
    activity = activity_by_id(tx, page.activity_id, session_id=page.session_id)
    if not activity.is_visible:
        raise NotFound
    return own_responses(
        tx, page.participant_id, activity_id=page.activity_id, limit=page.limit + 1, offset=page.offset, after=page.after,
        max_characters=MAX_PAGE_BYTES,
    )  # fmt: skip


def _find_readable(tx: ReadTx, request: Request, activity_id: UUID, response_id: UUID) -> tuple[ParticipantResponse, Activity]:
    activity = activity_by_id(tx, activity_id, session_id=request.params["session_id"])
    if request.caller.role is not Role.PARTICIPANT:
        return response_by_id(tx, response_id, activity_id=activity_id), activity
    response = own_response(tx, response_id)
    if response is None or response.activity_id != activity_id or response.participant_id != request.caller.participant_id:
        raise NotFound
    if response.moderation is Moderation.HIDDEN or not activity.is_visible:
        raise NotFound
    return response, activity


def _to_response(request: Request, response: ParticipantResponse, activity: Activity) -> Response:
    is_own = request.caller.participant_id == response.participant_id
    return json_response(schemas.response_out(response, anonymous=activity.anonymous and not is_own))


_CHANGE_PROBLEMS: tuple[type[DomainError], ...] = (errors.ActivityNotOpen, SeatGone, errors.AlreadyAnswered, TypeUnavailable)
_SUBMIT_PROBLEMS = (
    *_CHANGE_PROBLEMS,
    errors.AnsweredTooOften,
    errors.AnswersFull,
    StorageFull,
    KeyReused,
    IdempotencyKeyInvalid,
)


def routes(responses: ResponseEndpoints) -> list[Route]:
    """Return the routes of responses."""
    focus = FocusEndpoints(responses.db, responses.writer)
    one = _RESPONSES + "/{response_id:uuid}"
    shown: dict[int, Any] = {200: schemas.ResponseOut}
    return [
        route("POST", _RESPONSES, responses.submit, roles=PARTICIPANTS, policy=SUBMIT, body=RESPONSE_LIMITS, tag="responses",
              replays=responses.is_replay, shows_presence=False,
              docs=Docs(summary="Submit a response",
                        responses={201: schemas.ResponseOut, 200: schemas.ResponseOut},
                        headers=("Idempotency-Key",), problems=_SUBMIT_PROBLEMS)),
        route("GET", _RESPONSES, responses.page, cancels=True, roles=HOSTS, policy=CONTROL, tag="responses",
              docs=Docs(summary="List responses", responses={200: schemas.ResponsePage},
                        problems=(errors.AuthorHidden, errors.PatternTooLarge, errors.ScanTooLong, errors.ScanRunning,
                                  errors.ScansBusy, JsonInvalid))),
        route("GET", _RESPONSES + "/mine", responses.mine, cancels=True, roles=PARTICIPANTS, policy=CONTROL, tag="responses",
              docs=Docs(summary="List one's own responses to an activity", responses={200: schemas.ResponsePage})),
        route("GET", one, responses.read, cancels=True, roles=HOSTS_AND_PARTICIPANTS, policy=CONTROL, tag="responses",
              docs=Docs(summary="Read a response", responses=shown)),
        route("PUT", one, responses.edit, roles=PARTICIPANTS, policy=SUBMIT, body=RESPONSE_LIMITS, tag="responses",
              shows_presence=False,
              docs=Docs(summary="Replace one's own response", responses=shown,
                        problems=(*_CHANGE_PROBLEMS, StorageFull))),
        route("DELETE", one, responses.delete, roles=HOSTS_AND_PARTICIPANTS, policy=CONTROL, tag="responses",
              shows_presence=False,
              docs=Docs(summary="Delete a response", responses={204: None}, response_headers=RESPONSE_HEADERS,
                        problems=(*_CHANGE_PROBLEMS, SessionCompleted))),
        route("PATCH", one, responses.moderate, roles=HOSTS, policy=CONTROL, body=RESPONSE_LIMITS, tag="responses",
              docs=Docs(summary="Show, hold or hide a response", responses=shown, problems=(errors.ModerationOff, SessionCompleted))),
        route("POST", "/sessions/{session_id:int}/participants/remove", responses.remove_flood, roles=HOSTS, policy=CONTROL,
              body=RESPONSE_LIMITS, tag="participants",
              docs=Docs(summary="Remove many participants", responses={200: schemas.FloodOut}, response_headers=RESPONSE_HEADERS)),
        route("POST", "/sessions/{session_id:int}/activities/{activity_id:uuid}/focus", focus.focus, roles=HOSTS, policy=CONTROL,
              body=RESPONSE_LIMITS, tag="activities",
              docs=Docs(summary="Enlarge one response on the screen", responses={200: schemas.FocusOut}, problems=(SessionCompleted,))),
        route("POST", "/sessions/{session_id:int}/activities/{activity_id:uuid}/reset", responses.reset, roles=HOSTS, policy=CONTROL,
              tag="activities",
              docs=Docs(summary="Delete the responses of the current round", responses={204: None}, response_headers=RESPONSE_HEADERS,
                        problems=(SessionCompleted,))),
    ]  # fmt: skip
