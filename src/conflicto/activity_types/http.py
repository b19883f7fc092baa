"""Endpoints of activity types, readable by anyone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from conflicto.activity_types import schemas
from conflicto.activity_types.registry import Registry
from conflicto.platform.http.conditional_requests import conditional_response, etag_of
from conflicto.platform.http.messages import Request, Response, encode, json_response
from conflicto.platform.http.paging import PageQuery, after_key, page_response
from conflicto.platform.http.routes import Docs, Route, route
from conflicto.platform.limits.bucket import LimitScope, Policy
from conflicto.platform.sizes import KIB
from conflicto.platform.strict_json import CONFIG_LIMITS

TYPES = Policy("types", 60_000, 60, scope=LimitScope.SERVER)
"""Rate limit of reading types, for the whole server as it needs no token: 1,000 a second."""


CHECKS = Policy("type-checks", 6_000, 60, scope=LimitScope.SERVER)
"""Rate limit of validations: up to 256 KiB take 5 ms, so 100 a second use half a core."""


REJECTED = Policy("rejected-types", 600, 60)
"""Rate limit of the list of types that were left out; hosts read it once for each page."""


MAX_EVENT_LOOP_BYTES = 16 * KIB
"""Size up to which JSON is validated on the event loop; longer JSON goes to a thread."""


@dataclass(frozen=True, slots=True)
class TypeEndpoints:
    """Endpoints of the registered activity types."""

    types: Registry

    async def page(self, request: Request, query: PageQuery) -> Response:
        """List the registered activity types, in the order in which a front end may offer them."""
        types = self.types.all()
        (skipped,) = after_key(request, query, int) or (query.offset,)
        places = range(len(types))[max(0, skipped) : max(0, skipped) + query.limit + 1]
        return page_response(
            request,
            query,
            places,
            len(types),
            show=lambda place: schemas.type_summary_out(types[place]),
            key=lambda place: (place + 1,),
        )

    async def read(self, request: Request, query: schemas.VersionQuery) -> Response:
        """Return a registered activity type with its schemas, examples and texts."""
        found = self.types.get(request.params["type"], query.version)
        body = encode(schemas.type_out(found) | {"versions": self.types.versions(found.name)})
        return conditional_response(request, body, etag_of(body))

    async def rejected(self, request: Request) -> Response:
        """List the activity types that this server left out, with every fault and its remedy."""
        return json_response({"items": [schemas.rejected_type_out(each) for each in self.types.rejected]})

    async def validate(self, request: Request, body: schemas.ValidateIn, query: schemas.VersionQuery) -> Response:
        """Validate config, secret and answer as creating and answering an activity would."""
        activity_type = self.types.get(request.params["type"], query.version)
        texts = {name: getattr(body, name) for name in body.model_fields_set}
        is_long = len(request.body) > MAX_EVENT_LOOP_BYTES
        errors = await asyncio.to_thread(activity_type.errors, texts) if is_long else activity_type.errors(texts)
        return json_response(
            {"valid": not errors, "errors": [{"pointer": each.pointer, "message": each.message} for each in errors]}
        )


def routes(types: TypeEndpoints, *, anyone: frozenset[Any], hosts: frozenset[Any]) -> list[Route]:
    """Return the routes of this package; `anyone` stands for no role."""
    one = "/activity-types/{type:name}"
    return [
        route("GET", "/activity-types", types.page, cancels=True, roles=anyone, policy=TYPES, tag="activity types",
              docs=Docs(summary="List activity types", responses={200: schemas.TypePage})),
        route("GET", one, types.read, cancels=True, roles=anyone, policy=TYPES, tag="activity types",
              docs=Docs(summary="Read an activity type", responses={200: schemas.TypeOut, 304: None}, headers=("If-None-Match",))),
        route("POST", one + "/validate", types.validate, roles=anyone, policy=CHECKS, body=CONFIG_LIMITS, tag="activity types",
              docs=Docs(summary="Validate JSON against an activity type", responses={200: schemas.ValidationOut})),
        route("GET", "/rejected-activity-types", types.rejected, roles=hosts, policy=REJECTED, tag="activity types",
              docs=Docs(summary="List activity types that were left out", responses={200: schemas.RejectedTypes})),
    ]  # fmt: skip
