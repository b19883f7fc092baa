"""Problems of activities.

DomainError
├── MoveNotAllowed      the lifecycle has no such transition.
├── AlreadyRevealed     a revealed round cannot be reopened.
├── NotTimed            an activity without an end cannot be extended.
├── ResponsesExist      the change would alter what people answered to.
└── TooManyActivities   the session has the maximum number of activities.
"""

from __future__ import annotations

from conflicto.platform.problems import DomainError, Kind


class MoveNotAllowed(DomainError):
    """`from`, `to` and `allowed` list the possible steps."""

    code = "move-not-allowed"
    title = "The activity cannot make this step now"
    kind = Kind.CONFLICT


class AlreadyRevealed(DomainError):
    """Results or secret were shown in this round. Start a new round to ask again."""

    code = "already-revealed"
    title = "The answers were already revealed in this round"
    kind = Kind.CONFLICT


class NotTimed(DomainError):
    """Only an active activity with an end can have more time.

    `counted_from: now` sets an end for an active one.
    """

    code = "not-timed"
    title = "The activity has no end to move"
    kind = Kind.CONFLICT


class ResponsesExist(DomainError):
    """`fields` lists the fields that cannot change.

    `conflicto types upgrade` changes the `type_version` together with the answers. `config` and
    `secret` change with `?force=true`, the others never. `anonymous`, `min_group`,
    `results_visibility` and `responses_visibility` can still become stricter. An anonymous activity
    counts as answered from its opening.
    """

    code = "answers-exist"
    title = "People have answered already"
    kind = Kind.CONFLICT


class TooManyActivities(DomainError):
    """A session holds at most 500 activities."""

    code = "too-many-activities"
    title = "The session holds no more activities"
    kind = Kind.CONFLICT
