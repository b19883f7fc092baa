"""Schemas of sessions in requests and responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, StrictBool, StrictInt, StrictStr, StringConstraints, model_validator
from typing_extensions import TypeAliasType

from conflicto.access.roles import HOSTS, Role
from conflicto.platform.http.formats import Timestamp, Uuid
from conflicto.platform.http.paging import (
    OF_SERVER,
    SERVER_EXAMPLE,
    PageOut,
    PageQuery,
    StrictModel,
    example,
    optional_field,
    page_example,
)
from conflicto.platform.http.text_patterns import text_pattern
from conflicto.platform.instants import rfc3339
from conflicto.sessions.model import Overlay, SessionStatus, format_code
from conflicto.sessions.word_filter import (
    MAX_WORD_CHARS,
    MAX_WORDS,
    NO_FILTER,
    FilterMode,
    WordFilter,
    filter_to_json,
    make_filter,
    require_searchable,
)

if TYPE_CHECKING:
    from conflicto.access.link_keys import LinkKeys
    from conflicto.sessions.model import Session, Transition

MAX_TITLE_CHARS = 200
VISIBLE = text_pattern(r"\S", "must hold a character other than spaces")
Title = Annotated[StrictStr, StringConstraints(min_length=1, max_length=MAX_TITLE_CHARS), VISIBLE]
Subtitle = Annotated[StrictStr, StringConstraints(max_length=MAX_TITLE_CHARS)]
Description = Annotated[StrictStr, StringConstraints(max_length=2000)]
Places = Annotated[StrictInt, Field(ge=1, le=50_000)]
OwnWord = Annotated[StrictStr, StringConstraints(min_length=1, max_length=MAX_WORD_CHARS), AfterValidator(require_searchable)]
Language = TypeAliasType("Language", Literal["ar", "de", "en", "es", "fr", "pt"])
Reason = Annotated[StrictStr, StringConstraints(max_length=500)]


SESSION_EXAMPLE: dict[str, Any] = {
    "id": 190463227641021, "title": "Town hall", "subtitle": "Autumn 2026",
    "description": "Four questions, half an hour", "status": "active", "locked": False,
    "current_activity_id": "8a5bd3a0-6a5c-4e3c-9d52-5c2ef1b9a0f4", "shown_activity_id": "8a5bd3a0-6a5c-4e3c-9d52-5c2ef1b9a0f4",
    "revision": 3, "created_at": "2026-11-23T09:00:00.000001Z", "updated_at": "2026-11-23T09:05:12.250417Z",
    "join_code": "BCDF-GHJK", "link_key": "q7Zk0sVb9XcD", "max_participants": 500, "overlay": None,
    "word_filter": filter_to_json(NO_FILTER),
}  # fmt: skip

FOR_HOSTS_AND_SCREENS = frozenset({"join_code", "link_key", "max_participants", "overlay"})
"""Fields of a session that participants do not read."""

FOR_HOSTS = frozenset({"word_filter"})
"""Fields that only hosts read: a screen is public, and so would be the words that a host forbids.
"""

TRANSITION_EXAMPLE: dict[str, Any] = {
    "number": 1, "actor": "host-4Hq0rjzXv2bN", "entity": "session", "entity_id": "190463227641021", "from_status": "draft",
    "to_status": "active", "reason": "Everybody is here", "at": "2026-11-23T09:04:58.118209Z",
}  # fmt: skip

TOKEN_PAIR_EXAMPLE = {"host_token": "eyJhbGciOi…", "screen_token": "eyJhbGciOi…", "server": SERVER_EXAMPLE}


class WordFilterIn(StrictModel):
    """The handling of offensive words in nicknames and answers, from now on.

    `mask` shows *** in place of the word to everyone but host and author. `hold` keeps such answers
    for the host's moderation, and refuses such nicknames. The filter matches the word lists of
    `languages`, and the host's own `words`.
    """

    model_config = example(mode="mask", languages=["en", "de"], words=["Voldemort"])

    mode: FilterMode
    languages: list[Language] = Field([], max_length=20)
    words: list[OwnWord] = Field([], max_length=MAX_WORDS, description="Words or phrases, found whole and in any case.")

    @model_validator(mode="after")
    def _require_criterion(self) -> Self:
        if self.mode is not FilterMode.OFF and not (self.languages or self.words):
            raise ValueError("names neither a language nor a word, so nothing would be found")
        return self

    def filter(self) -> WordFilter:
        """Return the filter of the model."""
        return make_filter(self.mode, self.languages, self.words)


class _Described(StrictModel):
    """Base of a session's properties in requests."""

    def fields(self) -> dict[str, Any]:
        """Return the named properties, by the names and types of the session's fields."""
        names = self.model_fields_set if isinstance(self, SessionPatch) else type(self).model_fields
        values = {name: getattr(self, name) for name in names}
        return {name: value.filter() if isinstance(value, WordFilterIn) else value for name, value in values.items()}


class SessionIn(_Described):
    """All properties of a new or replaced session."""

    model_config = example(title="Town hall", max_participants=500)

    title: Title
    subtitle: Subtitle | None = None
    description: Description | None = None
    max_participants: Places | None = Field(None, description="Null: as many as the server takes.")
    word_filter: WordFilterIn = Field(default_factory=lambda: WordFilterIn(mode=FilterMode.OFF, languages=[], words=[]))


class SessionPatch(_Described):
    """Some of a session's properties; each replaces the whole old value."""

    model_config = example(status="active")

    title: Title = optional_field()
    subtitle: Subtitle | None = None
    description: Description | None = None
    max_participants: Places | None = None
    word_filter: WordFilterIn = optional_field()
    status: SessionStatus = optional_field("The next step of the lifecycle.")


class SessionDuplicateIn(StrictModel):
    """The title of the copy; by default the original's."""

    model_config = example(title="Town hall in December")

    title: Title | None = None


class LockIn(StrictModel):
    """The lock of joining."""

    model_config = example(locked=True)

    locked: StrictBool = True


class OverlayIn(StrictModel):
    """The overlay of the screen; null for none."""

    model_config = example(overlay="join")

    overlay: Overlay | None


class SessionListQuery(PageQuery):
    """Filter of sessions."""

    status: SessionStatus | None = None


class AuditQuery(PageQuery):
    """Part of the audit. Its lines are numbered, so an index finds every offset."""

    max_offset_rows: ClassVar[int] = 2**31 - 1

    offset: int = Field(0, ge=0, le=max_offset_rows, description="Lines before the page.")


class WordFilterOut(BaseModel):
    """The handling of offensive words."""

    mode: FilterMode
    languages: list[str]
    words: list[str]


class SessionOut(BaseModel):
    """A session.

    `join_code`, `link_key`, `max_participants` and `overlay` are for hosts and screens,
    `word_filter` for hosts.
    """

    has_revision_tag: ClassVar[bool] = True

    model_config = example(**SESSION_EXAMPLE)

    id: int
    title: str
    subtitle: str | None
    description: str | None
    status: SessionStatus
    locked: bool
    current_activity_id: Uuid | None
    shown_activity_id: Uuid | None
    revision: int
    created_at: Timestamp
    updated_at: Timestamp
    join_code: str | None = None
    link_key: str | None = Field(None, description="Secret of the link to join, `/j/CODE#key=…`; it changes with the code.")
    max_participants: int | None = None
    overlay: Overlay | None = None
    word_filter: WordFilterOut | None = None


class SessionCreated(SessionOut):
    """A new session with the tokens of its host and its screen; they are shown here only."""

    model_config = example(**SESSION_EXAMPLE, **TOKEN_PAIR_EXAMPLE)

    host_token: str
    screen_token: str
    server: str = Field(description=OF_SERVER)


class TokenPair(BaseModel):
    """The new tokens; all older ones are invalid."""

    model_config = example(**TOKEN_PAIR_EXAMPLE)

    host_token: str
    screen_token: str
    server: str = Field(description=OF_SERVER)


class TransitionOut(BaseModel):
    """One line of the audit."""

    model_config = example(**TRANSITION_EXAMPLE)

    number: int
    actor: str
    entity: str
    entity_id: str
    from_status: str | None
    to_status: str
    reason: str | None
    at: Timestamp


class SessionPage(PageOut):
    """A list of sessions."""

    model_config = page_example(SESSION_EXAMPLE)

    items: list[SessionOut]


class TransitionPage(PageOut):
    """A part of the audit."""

    model_config = page_example(TRANSITION_EXAMPLE)

    items: list[TransitionOut]


def session_out(session: Session, role: Role, link_keys: LinkKeys) -> dict[str, Any]:
    """Return a session as a role sees it."""
    shown = {
        "id": session.id,
        "title": session.title,
        "subtitle": session.subtitle,
        "description": session.description,
        "status": session.status,
        "locked": session.locked,
        "current_activity_id": session.current_activity_id,
        "shown_activity_id": session.shown_activity_id,
        "revision": session.revision,
        "created_at": rfc3339(session.created_ts),
        "updated_at": rfc3339(session.updated_ts),
    }
    if role is not Role.PARTICIPANT:
        shown |= {
            "join_code": format_code(session.join_code),
            "link_key": link_keys.key_of(session.join_code),
            "max_participants": session.max_participants,
            "overlay": session.overlay,
        }
    return shown | ({"word_filter": filter_to_json(session.word_filter)} if role in HOSTS else {})


def transition_out(transition: Transition) -> dict[str, Any]:
    """Return a line of the audit."""
    return {
        "number": transition.number,
        "actor": transition.actor,
        "entity": transition.entity,
        "entity_id": transition.entity_id,
        "from_status": transition.from_status,
        "to_status": transition.to_status,
        "reason": transition.reason,
        "at": rfc3339(transition.at_us),
    }
