"""What can be wrong with a response.

DomainError
├── ActivityNotOpen      answers are not taken now
├── AlreadyAnswered      the policy takes the first answer only
├── AnsweredTooOften     the participant has as many answers in the round as are kept of one
├── AnswersFull          the session has as many answers as are kept of one
├── ModerationOff        the activity is not moderated
├── AuthorHidden         an anonymous activity does not tell who answered
├── ResponsesHidden      the answers themselves are not shown to this role
├── ScanTooLong          a `contains` filter met its bound before the page was full
├── PatternTooLarge      a `contains` filter has more values than are looked for
├── ScanRunning          the token has a `contains` filter at work
└── ScansBusy            the server has as many at work as it may
"""

from __future__ import annotations

from conflicto.platform.problems import DomainError, Kind


class ActivityNotOpen(DomainError):
    """The activity is not active, or its end has come. Answers acknowledged before that count."""

    code = "activity-not-open"
    title = "Answers are not taken now"
    kind = Kind.CONFLICT


class AlreadyAnswered(DomainError):
    """With the policy `first`, the first answer of a round stands."""

    code = "already-answered"
    title = "This participant has answered already"
    kind = Kind.CONFLICT


class AnsweredTooOften(DomainError):
    """With the policy `many`, so many answers of one participant are kept in a round; what was deleted counts. Edits are still taken."""

    code = "answered-too-often"
    title = "This participant has sent as many answers as are taken in a round"
    kind = Kind.CONFLICT


class AnswersFull(DomainError):
    """So many answers of one session are kept, of all rounds and with what was deleted. Edits are still taken; its host was warned."""

    code = "answers-full"
    title = "The session takes no further answers"
    kind = Kind.CONFLICT


class ModerationOff(DomainError):
    """Set the activity's `moderation` to `after` or `before` first."""

    code = "moderation-off"
    title = "The activity is not moderated"
    kind = Kind.CONFLICT


class AuthorHidden(DomainError):
    """Not even a host can ask an anonymous activity for one person's answers."""

    code = "author-hidden"
    title = "The activity is anonymous"
    kind = Kind.CONFLICT


class ResponsesHidden(DomainError):
    """`responses_visibility` opens them. Once open, the caller starts at 0."""

    code = "responses-hidden"
    title = "The answers are not shown to this role"
    kind = Kind.FORBIDDEN


class ScanTooLong(DomainError):
    """Too many answers would have to be compared. Ask for one `round` or one `participant_id`, or for a value with fewer parts."""

    code = "scan-too-long"
    title = "The filter would read too many answers"
    kind = Kind.INVALID


class PatternTooLarge(DomainError):
    """`contains` takes a JSON value with at most 32 values in it, objects and arrays included. Ask for fewer."""

    code = "pattern-too-large"
    title = "The filter has too many values"
    kind = Kind.INVALID


class ScanRunning(DomainError):
    """One `contains` filter of a token runs at a time. Wait for its answer, then ask again."""

    code = "scan-running"
    title = "Another filter of this token is at work"
    kind = Kind.TOO_MANY


class ScansBusy(DomainError):
    """This server works on two `contains` filters at a time. Come back after `Retry-After` seconds."""

    code = "scans-busy"
    title = "The server filters answers for others"
    kind = Kind.UNAVAILABLE
