"""Endpoints of activities."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from conflicto.access.receipts import RESPONSE_HEADERS, Receipts, run_with_deletion
from conflicto.access.roles import ADMIN, HOSTS, MEMBERS
from conflicto.activities import errors, schemas
from conflicto.activities.commands import edit, run
from conflicto.activities.content_validation import validated_content
from conflicto.activities.model import Activity, ActivityStatus, Content
from conflicto.activities.queries import activity_page, activity_with_content
from conflicto.activities.session_types.loader import SessionTypeLoader
from conflicto.activity_types.errors import TypeUnavailable
from conflicto.activity_types.registry import Registry
from conflicto.aggregation.spec import validate_spec
from conflicto.platform.db.batched_read import MAX_BATCH_PAGES, BatchedRead, deduplicated
from conflicto.platform.db.engine import Database
from conflicto.platform.db.transaction import ReadTx
from conflicto.platform.db.writer import Writer
from conflicto.platform.http.conditional_requests import (
    ConditionInvalid,
    conditional_response,
    etag_of,
    required_revisions,
    revision_etag,
)
from conflicto.platform.http.messages import NO_STORE, Request, Response, encode, json_response
from conflicto.platform.http.paging import MAX_PAGE_BYTES, after_key, page_response
from conflicto.platform.http.routes import Docs, Route, route
from conflicto.platform.problems import FieldError, InvalidInput, NotFound
from conflicto.platform.row_batch import RowBatch
from conflicto.platform.strict_json import CONFIG_LIMITS, RESPONSE_LIMITS
from conflicto.sessions.errors import (
    IdempotencyKeyInvalid,
    KeyReused,
    RevisionStale,
    SessionCompleted,
    SessionNotActive,
    StorageFull,
)
from conflicto.sessions.http import CONTROL, created_session, session_response
from conflicto.sessions.idempotency.store import Key, is_known, key_from
from conflicto.sessions.link_http import LinkTokens
from conflicto.sessions.queries import session_by_id
from conflicto.sessions.schemas import SessionCreated, SessionDuplicateIn, SessionOut

JSON_FIELDS = ("config", "secret", "aggregate")


class ActivityListKey(NamedTuple):
    """Parameters of a page of a session's activities."""

    session_id: int
    status: ActivityStatus | None
    limit: int
    offset: int
    after: tuple[int, int] | None


class ActivityKey(NamedTuple):
    """Key of an activity; `session_id` is set if the caller is bound to a session."""

    activity_id: UUID
    session_id: int | None
    is_host: bool


@dataclass(frozen=True, slots=True)
class ActivityEndpoints:
    """Endpoints that create, list, read, change and delete activities."""

    db: Database
    writer: Writer
    types: Registry
    receipts: Receipts
    loader: SessionTypeLoader
    pages: BatchedRead[ActivityListKey, tuple[RowBatch[tuple[Activity, Content]], int | None]] = field(init=False)
    single: BatchedRead[ActivityKey, tuple[Activity, Content]] = field(init=False)

    def __post_init__(self) -> None:
        """Create the batched look-ups that concurrent requests share."""
        object.__setattr__(self, "pages", BatchedRead(self.db, deduplicated(_visible_page), max_batch=MAX_BATCH_PAGES))
        object.__setattr__(self, "single", BatchedRead(self.db, deduplicated(_read_activity), max_batch=MAX_BATCH_PAGES))

    async def create(self, request: Request, session_id: int, body: schemas.ActivityIn) -> Response:
        """Create an activity; with a status, move it there at once."""
        texts = self._texts(body)
        content = Content(config=texts.get("config") or "{}", secret=texts.get("secret"), aggregate=texts.get("aggregate"))
        wanted = await self.loader.wanted_version(session_id, body.type, body.type_version)
        body = body.model_copy(update={"type_version": wanted})
        await self.loader.load(body.type, body.type_version)
        version, content = validated_content(self.types, body.type, body.type_version, content)
        fields = body.model_dump(exclude={*JSON_FIELDS, "status"}) | self._type_defaults(body) | {"type_version": version}
        activity, content, status = await self.writer.run(
            session_id, edit.create_activity, session_id, edit.NewActivity(content=content, **fields),
            status=body.status, actor=request.caller.subject, key=_key(request),
        )  # fmt: skip
        location = (b"location", f"/api/v1/sessions/{session_id}/activities/{activity.id}".encode())
        shown = schemas.activity_out(activity, content, for_host=True)
        return json_response(shown, status=status, headers=(NO_STORE, location, revision_etag(activity.revision)))

    async def is_replay(self, request: Request) -> bool:
        """Return whether an activity was created with the request's key before."""
        return await self.db.read(is_known, _key(request))

    async def page(self, request: Request, session_id: int, query: schemas.ActivityListQuery) -> Response:
        """List activities in order; only hosts see drafts."""
        host = request.caller.is_host
        page = ActivityListKey(session_id, query.status, query.limit, query.offset, after_key(request, query, int, int))
        found, total = await (self.db.lists.read(_page, page, visible_only=False) if host else self.pages.read(page))
        return page_response(
            request, query, found.rows, total, show=lambda each: schemas.activity_out(*each, for_host=host),
            key=lambda each: (each[0].order_index, each[0].created_ts), is_cut=found.is_cut,
        )  # fmt: skip

    async def read(self, request: Request, activity_id: UUID) -> Response:
        """Return the caller's view of an activity."""
        return _activity_response(request, *await self.single.read(_activity_key(request, activity_id)))

    async def active(self, request: Request, session_id: int) -> Response:
        """Return the active activity, or 204."""
        found = await self.db.read(_active, session_id)
        if found is None:
            return Response(204, headers=(NO_STORE,))
        body = encode(schemas.activity_out(*found, for_host=request.caller.is_host))
        return conditional_response(request, body, etag_of(body))

    async def replace(self, request: Request, activity_id: UUID, body: schemas.ActivityPut, query: schemas.ForceQuery) -> Response:
        """Replace all fields of the activity; without `order_index` it keeps its position."""
        await self.loader.load(body.type, body.type_version)
        fields = body.model_dump(exclude=set(JSON_FIELDS)) | self._type_defaults(body)
        if body.order_index is None:
            fields.pop("order_index")
        texts = {"config": "{}", "secret": None, "aggregate": None} | self._texts(body)
        return await self._change(request, activity_id, fields, texts, force=query.force)

    async def patch(self, request: Request, activity_id: UUID, body: schemas.ActivityPatch, query: schemas.ForceQuery) -> Response:
        """Replace the given fields."""
        fields = body.model_dump(exclude=set(JSON_FIELDS), exclude_unset=True)
        return await self._change(request, activity_id, fields, self._texts(body), force=query.force)

    async def delete(self, request: Request, activity_id: UUID) -> Response:
        """Delete the activity with its answers; the feed keeps a tombstone."""
        session_id = await _session_of(self.db, request, activity_id)
        revisions = required_revisions(request)
        responses, deletion = await self.writer.run(
            session_id, run_with_deletion, edit.delete_activity, activity_id, revisions=revisions
        )
        deletion.counts["responses"] = responses
        return Response(204, headers=(NO_STORE, self.receipts.header(deletion)))

    def _texts(self, body: schemas.ActivityIn | schemas.ActivityPut | schemas.ActivityPatch) -> dict[str, str | None]:
        """Return the JSON fields that the body has; null in `secret` or `aggregate` is None."""
        texts = {name: getattr(body, name) for name in JSON_FIELDS if name in body.model_fields_set}
        found = {name: None if text == "null" and name != "config" else text for name, text in texts.items()}
        validate_spec(found.get("aggregate"))
        return found

    async def _change(
        self, request: Request, activity_id: UUID, fields: dict[str, Any], texts: dict[str, str | None], *, force: bool
    ) -> Response:
        revisions = required_revisions(request)
        activity, _ = await self.db.read(_read_activity, _activity_key(request, activity_id))
        session_id = activity.session_id
        await self.loader.load(activity.type, activity.type_version)
        await self.loader.load(fields.get("type", activity.type), fields.get("type_version"))
        activity, content = await self.writer.run(
            session_id, edit.change_activity, activity_id, fields, texts, types=self.types, revisions=revisions, force=force
        )
        return _activity_response(request, activity, content)

    def _type_defaults(self, body: schemas.ActivityIn | schemas.ActivityPut) -> dict[str, Any]:
        """Return the type's defaults of the fields that the body omits."""
        name, version = body.type, body.type_version
        activity_type = self.types.find(name) if version is None else self.types.find_version(name, version)
        set_fields = body.model_fields_set
        policy = body.response_policy if "response_policy" in set_fields else None
        return schemas.type_defaults(activity_type.defaults_under(policy), set_fields=set_fields) if activity_type else {}


@dataclass(frozen=True, slots=True)
class ActivityControls:
    """Endpoints that control activities during the event."""

    db: Database
    writer: Writer
    tokens: LinkTokens

    async def transition(self, request: Request, session_id: int, activity_id: UUID, body: schemas.TransitionIn) -> Response:
        """Make a transition."""
        return await self._run(request, activity_id, run.move_activity, body.target_status, actor=request.caller.subject,
                               reason=body.reason, duration_seconds=body.duration_seconds)  # fmt: skip

    async def set_status(self, request: Request, session_id: int, activity_id: UUID, body: schemas.StatusIn) -> Response:
        """Make a transition, in short form."""
        return await self._run(request, activity_id, run.move_activity, body.status, actor=request.caller.subject)

    async def extend(self, request: Request, session_id: int, activity_id: UUID, body: schemas.ExtendIn) -> Response:
        """Extend the activity, or restart its timer from now."""
        return await self._run(request, activity_id, run.extend_activity, body.seconds, from_now=body.counted_from == "now")

    async def reveal(self, request: Request, session_id: int, activity_id: UUID, body: schemas.RevealIn | None = None) -> Response:
        """Show or hide results and secret; without a body, show the results."""
        options = body or schemas.RevealIn(results=True)
        return await self._run(request, activity_id, run.reveal_activity, results=options.results, secret=options.secret)

    async def new_round(
        self, request: Request, session_id: int, activity_id: UUID, body: schemas.RoundIn | None = None
    ) -> Response:
        """Start the next round."""
        options = body or schemas.RoundIn()
        return await self._run(request, activity_id, run.start_round, actor=request.caller.subject, reason=options.reason,
                               duration_seconds=options.duration_seconds)  # fmt: skip

    async def show(self, request: Request, session_id: int, body: schemas.ShowIn) -> Response:
        """Select the activity on the screen."""
        shown_id = _activity_id(body.activity_id) if body.activity_id is not None else None
        return session_response(request, await self.writer.run(session_id, run.show_activity, session_id, shown_id), self.tokens)

    async def duplicate(self, request: Request, session_id: int, body: SessionDuplicateIn | None = None) -> Response:
        """Copy the session: a new draft with the same activities and no answers."""
        title = body.title if body else None
        lifetime_s = self.tokens.tokens.max_lifetime_s
        copy = await self.writer.run(session_id, edit.duplicate_session, session_id, title=title, lifetime_s=lifetime_s)
        return await created_session(self.tokens, copy)

    async def _run(self, request: Request, activity_id: UUID, command: Any, *args: object, **kwargs: object) -> Response:  # noqa: ANN401 - a command
        session_id = await _session_of(self.db, request, activity_id)
        activity: Activity = await self.writer.run(session_id, command, activity_id, *args, **kwargs)
        return _activity_response(request, *await self.db.read(activity_with_content, activity.id))


def _activity_key(request: Request, activity_id: UUID) -> ActivityKey:
    return ActivityKey(activity_id, request.params.get("session_id", request.caller.session_id), is_host=request.caller.is_host)


def _read_activity(tx: ReadTx, key: ActivityKey) -> tuple[Activity, Content]:
    activity, content = activity_with_content(tx, key.activity_id)
    session_by_id(tx, activity.session_id)
    is_elsewhere = key.session_id is not None and activity.session_id != key.session_id
    if is_elsewhere or not (key.is_host or activity.is_visible):
        raise NotFound
    return activity, content


def _page(tx: ReadTx, page: ActivityListKey, *, visible_only: bool) -> tuple[RowBatch[tuple[Activity, Content]], int | None]:
    return activity_page(
        tx, page.session_id, visible_only=visible_only, status=page.status, limit=page.limit, offset=page.offset, after=page.after,
        max_characters=MAX_PAGE_BYTES,
    )  # fmt: skip


def _visible_page(tx: ReadTx, page: ActivityListKey) -> tuple[RowBatch[tuple[Activity, Content]], int | None]:
    return _page(tx, page, visible_only=True)


def _active(tx: ReadTx, session_id: int) -> tuple[Activity, Content] | None:
    current = session_by_id(tx, session_id).current_activity_id
    return activity_with_content(tx, current) if current else None


async def _session_of(db: Database, request: Request, activity_id: UUID) -> int:
    """Return the session of an activity that the caller may change.

    Raises:
        NotFound: the activity is not in the caller's session.
    """
    activity, _ = await db.read(_read_activity, _activity_key(request, activity_id))
    return activity.session_id


def _key(request: Request) -> Key | None:
    route = f"{request.route.name} {request.params['session_id']}"
    return key_from(request.header(b"idempotency-key"), subject=request.caller.subject, route=route, body=request.body)


def _activity_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise InvalidInput(errors=(FieldError("/activity_id", "is not an activity's id"),)) from error


def _activity_response(request: Request, activity: Activity, content: Content) -> Response:
    host = request.caller.is_host
    body = encode(schemas.activity_out(activity, content, for_host=host))
    return conditional_response(request, body, revision_etag(activity.revision)[1] if host else etag_of(body))


def routes(activities: ActivityEndpoints, controls: ActivityControls) -> list[Route]:
    """Return the routes of this package."""
    return _object_routes(activities) + _control_routes(controls)


def _object_routes(activities: ActivityEndpoints) -> list[Route]:
    ok: dict[int, Any] = {200: schemas.ActivityOut}
    change_problems = (ConditionInvalid, RevisionStale, SessionCompleted, errors.ResponsesExist, TypeUnavailable)
    nested, bare, collection = (
        "/sessions/{session_id:int}/activities/{activity_id:uuid}",
        "/activities/{activity_id:uuid}",
        "/sessions/{session_id:int}/activities",
    )
    create_problems = (
        errors.TooManyActivities,
        TypeUnavailable,
        StorageFull,
        SessionCompleted,
        SessionNotActive,
        KeyReused,
        IdempotencyKeyInvalid,
    )
    rows = [
        route("POST", collection, activities.create, roles=HOSTS, policy=CONTROL, body=CONFIG_LIMITS, tag="activities",
              replays=activities.is_replay,
              docs=Docs(summary="Create an activity", responses={201: schemas.ActivityOut}, headers=("Idempotency-Key",),
                        problems=create_problems)),
        route("GET", collection, activities.page, cancels=True, roles=MEMBERS, policy=CONTROL, tag="activities",
              docs=Docs(summary="List activities in order", responses={200: schemas.ActivityPage})),
        route("GET", collection + "/active", activities.active, cancels=True, roles=MEMBERS, policy=CONTROL, tag="activities",
              docs=Docs(summary="Read the active activity", responses={**ok, 204: None, 304: None}, headers=("If-None-Match",))),
    ]  # fmt: skip
    for path in (nested, bare):
        rows += [
            route("GET", path, activities.read, cancels=True, roles=MEMBERS, policy=CONTROL, tag="activities",
                  docs=Docs(summary="Read an activity", responses={**ok, 304: None}, headers=("If-None-Match",))),
            route("PUT", path, activities.replace, roles=HOSTS, policy=CONTROL, body=CONFIG_LIMITS, tag="activities",
                  docs=Docs(summary="Replace an activity", responses=ok, headers=("If-Match",),
                            problems=(*change_problems, StorageFull))),
            route("PATCH", path, activities.patch, roles=HOSTS, policy=CONTROL, body=CONFIG_LIMITS, tag="activities",
                  docs=Docs(summary="Change an activity", responses=ok, headers=("If-Match",), problems=(*change_problems, StorageFull))),
            route("DELETE", path, activities.delete, roles=HOSTS, policy=CONTROL, tag="activities",
                  docs=Docs(summary="Delete an activity with its answers", responses={204: None}, response_headers=RESPONSE_HEADERS,
                            headers=("If-Match",), problems=change_problems[:3])),
        ]  # fmt: skip
    return rows


def _control_routes(controls: ActivityControls) -> list[Route]:
    nested = "/sessions/{session_id:int}/activities/{activity_id:uuid}"
    move_problems = (errors.MoveNotAllowed, errors.AlreadyRevealed, SessionNotActive, SessionCompleted, StorageFull)
    rows: list[tuple[str, str, Any, str, tuple[Any, ...]]] = [
        ("POST", "/transition", controls.transition, "Make a lifecycle transition", move_problems),
        ("PATCH", "/status", controls.set_status, "Set the status of an activity", move_problems),
        ("POST", "/extend", controls.extend, "Extend the time of an activity", (errors.NotTimed,)),
        ("POST", "/reveal", controls.reveal, "Show or hide results and secret", (errors.MoveNotAllowed, SessionCompleted)),
        ("POST", "/rounds", controls.new_round, "Start the next round", move_problems),
    ]
    control_routes = [
        route(method, nested + below, endpoint, roles=HOSTS, policy=CONTROL, body=RESPONSE_LIMITS, tag="activities",
              docs=Docs(summary=summary, responses={200: schemas.ActivityOut}, problems=problems))
        for method, below, endpoint, summary, problems in rows
    ]  # fmt: skip
    return [
        *control_routes,
        route("POST", "/sessions/{session_id:int}/show", controls.show, roles=HOSTS, policy=CONTROL, body=RESPONSE_LIMITS, tag="sessions",
              docs=Docs(summary="Set the activity on the screen", responses={200: SessionOut}, problems=(SessionCompleted,))),
        route("POST", "/sessions/{session_id:int}/duplicate", controls.duplicate, roles=ADMIN, policy=CONTROL, body=RESPONSE_LIMITS,
              tag="sessions", docs=Docs(summary="Copy a session without its answers", responses={201: SessionCreated})),
    ]  # fmt: skip
