"""Errors of responses.

DomainError
├── ActivityNotOpen    the activity does not accept responses now.
├── AlreadyAnswered    the policy accepts the first response only.
├── AnsweredTooOften   the participant reached the limit of responses in a round.
├── AnswersFull        the session reached its limit of responses.
├── ModerationOff      the activity is not moderated.
├── AuthorHidden       an anonymous activity cannot be filtered by participant.
├── ResponsesHidden    this role may not read the responses.
├── ScanTooLong        a `contains` filter reached its limit before the page was full.
├── PatternTooLarge    a `contains` filter has too many values.
├── ScanRunning        the token has a running `contains` filter.
├── ScansBusy          the server runs the maximum number of `contains` filters.
└── ValidationOutdated the activity changed after the response was validated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.platform.problems import DomainError, Kind, Unavailable

if TYPE_CHECKING:
    from conflicto.activities.model import Activity


class ActivityNotOpen(DomainError):
    """The activity is not active, or its deadline has passed.

    Responses acknowledged before that count.
    """

    code = "activity-not-open"
    title = "The activity does not accept responses now"
    kind = Kind.CONFLICT


class AlreadyAnswered(DomainError):
    """Under the policy `first`, the first response in a round is final."""

    code = "already-answered"
    title = "This participant has answered already"
    kind = Kind.CONFLICT


class AnsweredTooOften(DomainError):
    """Under the policy `many`, the responses of a participant in a round are limited.

    Deleted responses count. Edits are still accepted.
    """

    code = "answered-too-often"
    title = "This participant has reached the limit of responses in a round"
    kind = Kind.CONFLICT


class AnswersFull(DomainError):
    """The responses of a session are limited over all rounds.

    Deleted responses count. Edits are still accepted. The host was warned.
    """

    code = "answers-full"
    title = "The session has reached its limit of responses"
    kind = Kind.CONFLICT


class ModerationOff(DomainError):
    """Set the activity's `moderation` to `after` or `before` first."""

    code = "moderation-off"
    title = "The activity is not moderated"
    kind = Kind.CONFLICT


class AuthorHidden(DomainError):
    """Nobody, hosts included, can filter an anonymous activity by participant."""

    code = "author-hidden"
    title = "The activity is anonymous"
    kind = Kind.CONFLICT


class ResponsesHidden(DomainError):
    """`responses_visibility` makes responses visible. Once they are, read the feed from 0."""

    code = "responses-hidden"
    title = "This role may not read the responses"
    kind = Kind.FORBIDDEN


class ScanTooLong(DomainError):
    """The server would have to compare too many responses.

    Filter by one `round` or one `participant_id` too, or use a value with fewer parts.
    """

    code = "scan-too-long"
    title = "The filter would read too many responses"
    kind = Kind.INVALID


class PatternTooLarge(DomainError):
    """`contains` accepts at most 32 values, objects and arrays included.

    Use fewer values.
    """

    code = "pattern-too-large"
    title = "The filter has too many values"
    kind = Kind.INVALID


class ScanRunning(DomainError):
    """One `contains` filter of a token runs at a time. Wait for its response, then try again."""

    code = "scan-running"
    title = "Another filter of this token is running"
    kind = Kind.TOO_MANY


class ScansBusy(DomainError):
    """This server runs two `contains` filters at a time. Try again after `Retry-After` seconds."""

    code = "scans-busy"
    title = "The server is running other filters"
    kind = Kind.UNAVAILABLE


class ValidationOutdated(Unavailable):
    """The activity changed between the validation of a response and the lock of its session.

    `activity` is the locked row. The response is validated again, so a caller sees this only if
    the activity changes again and again.
    """

    def __init__(self, activity: Activity) -> None:
        super().__init__(retry_after_s=1)
        self.activity = activity
