"""Names of schemas in the OpenAPI document: the field's words, which generated clients take as names of classes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

REF = "#/components/schemas/"

_NAMES = {
    "ActivityPut": "ActivityReplacement",
    "ActivityStatusOut": "ActivityStatusReport",
    "ChangeFeedOut": "ChangePage",
    "ExportOut": "ExportJob",
    "Fault": "ValidationError",
    "FieldProblem": "FieldError",
    "FloodIn": "ParticipantRemovalRequest",
    "FloodOut": "ParticipantRemoval",
    "HeartbeatOut": "HeartbeatTime",
    "ClockOut": "ServerClock",
    "JobStatus": "ExportStatus",
    "KeyOut": "JsonWebKey",
    "KeySetOut": "JsonWebKeySet",
    "LeaderboardOut": "Leaderboard",
    "Live": "Liveness",
    "MeOut": "OwnParticipant",
    "NamesOut": "ParticipantNames",
    "NicknameOut": "NicknameAvailability",
    "PlaceOut": "LeaderboardEntry",
    "OwnPlaceOut": "OwnLeaderboardEntry",
    "ProblemKind": "ProblemType",
    "Ready": "Readiness",
    "RedeemIn": "SeatRedemptionRequest",
    "ResponseFeedOut": "ResponseChangePage",
    "ResponseIn": "Submission",
    "ResponseOut": "ParticipantResponse",
    "ResultsOut": "ActivityResults",
    "Scope": "LinkScope",
    "SessionStatusOut": "SessionStatusReport",
    "TicketOut": "StreamTicket",
    "TokenOut": "CreatedToken",
    "TypeOut": "ActivityType",
    "TypePage": "ActivityTypePage",
    "TypeSummary": "ActivityTypeSummary",
    "ValidateIn": "ActivityTypeValidationRequest",
    "ValidatedOut": "ActivityTypeValidation",
}
"""By the names of the models, where the rule below gives another one."""


def schema_name(model: str) -> str:
    """Return the name of a model's schema: without `Out`, and with `Request` in place of `In`.

    >>> schema_name("SessionOut"), schema_name("SessionIn"), schema_name("ResponseOut")
    ('Session', 'SessionRequest', 'ParticipantResponse')
    """
    return _NAMES.get(model) or re.sub(r"In$", "Request", re.sub(r"Out$", "", model))


def without_titles(schemas: Iterable[dict[str, Any]]) -> None:
    """Remove titles that only repeat the names of members; some generators take them for names of models."""
    for schema in schemas:
        schema.pop("title", None)


def with_names(part: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a part of the document in which every reference has its schema's name, and bounds are integers."""
    if isinstance(part, dict):
        made = {key: with_names(value) for key, value in part.items()}
        for bound in ("minimum", "maximum"):
            if isinstance(made.get(bound), float) and made[bound].is_integer():
                made[bound] = int(made[bound])  # FastAPI writes the bounds of integers as floats
        if isinstance(made.get("$ref"), str) and made["$ref"].startswith(REF):
            made["$ref"] = REF + schema_name(made["$ref"].removeprefix(REF))
        if isinstance(made.get("mapping"), dict):
            made["mapping"] = {key: REF + schema_name(value.removeprefix(REF)) for key, value in made["mapping"].items()}
        return made
    return [with_names(each) for each in part] if isinstance(part, list) else part
