"""Names of schemas in the OpenAPI document, which become class names of generated clients."""

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
    "ContentErrorOut": "ValidationError",
    "ExportOut": "ExportJob",
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
    "ValidationOut": "ActivityTypeValidation",
}
"""Schema names by model name, where the rule of `schema_name` does not apply."""


def schema_name(model: str) -> str:
    """Return the name of a model's schema: without `Out`, and with `Request` in place of `In`.

    >>> schema_name("SessionOut"), schema_name("SessionIn"), schema_name("ResponseOut")
    ('Session', 'SessionRequest', 'ParticipantResponse')
    """
    return _NAMES.get(model) or re.sub(r"In$", "Request", re.sub(r"Out$", "", model))


def without_titles(schemas: Iterable[dict[str, Any]]) -> None:
    """Remove titles of members, because some generators take them for model names."""
    for schema in schemas:
        schema.pop("title", None)


def with_names(part: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a part of the document with schema names in references and integers as bounds."""
    if isinstance(part, dict):
        renamed = {key: with_names(value) for key, value in part.items()}
        for bound in ("minimum", "maximum"):
            if isinstance(renamed.get(bound), float) and renamed[bound].is_integer():
                renamed[bound] = int(renamed[bound])  # Pydantic writes some bounds of integers as floats
        if isinstance(renamed.get("$ref"), str) and renamed["$ref"].startswith(REF):
            renamed["$ref"] = REF + schema_name(renamed["$ref"].removeprefix(REF))
        if isinstance(renamed.get("mapping"), dict):
            renamed["mapping"] = {key: REF + schema_name(value.removeprefix(REF)) for key, value in renamed["mapping"].items()}
        return renamed
    return [with_names(each) for each in part] if isinstance(part, list) else part
