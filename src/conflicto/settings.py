"""All settings, from the environment alone. Only `app.py`, the CLI and the migrations read them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

if TYPE_CHECKING:
    from collections.abc import Mapping

MIN_TOKEN_CHARACTERS = 16

SQLITE_FILE = "conflicto.sqlite3"

MIN_KEY_BYTES = 32
"""As long as the hash that signs (RFC 7518 §3.2)."""


_PUBLIC = re.compile(r"(?:https?://[^\s/?#\"'<>]+(?P<path>(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*)/?)?", re.ASCII)

RESERVED_PATHS = frozenset({"api", "j", "p", "s", "join", "host", "screen", "health", "metrics", "sw.js", "favicon.ico"})
"""First parts of our own paths: below one of them nobody could tell whether a proxy took the prefix away."""

_ORIGIN = re.compile(r"https://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?", re.ASCII)

MIN_CONNECTIONS_PER_WORKER = 2
"""Connections that one worker cannot do without."""

REDIS_SCHEMES = ("redis://", "rediss://", "unix://", "redis+sentinel://", "rediss+sentinel://")


class SettingsInvalid(ValueError):
    """An environment variable holds something that it cannot."""


class Settings(BaseModel):
    """Every setting has the name of its environment variable as alias, and a description with its unit."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    database_url: str = Field(
        "", alias="DATABASE_URL", description="`sqlite:///…` or `postgresql://…`; empty: SQLite in the data directory."
    )
    pool_size: int = Field(
        20, ge=2, le=1000, alias="DATABASE_POOL_SIZE", description="Connections kept open, of all workers of this machine together."
    )
    max_overflow: int = Field(
        30,
        ge=0,
        le=1000,
        alias="DATABASE_MAX_OVERFLOW",
        description="Further connections that come and go, of all workers together.",
    )
    redis_url: SecretStr | None = Field(
        None,
        alias="REDIS_URL",
        description="`redis://…` of a Redis or Valkey that all workers share, or `redis+sentinel://host:26379,…/SERVICE`; empty: they meet"
        " in the database alone, a second later.",
    )
    redis_cache_ttl: int = Field(
        300, ge=1, le=86_400, alias="REDIS_CACHE_TTL", description="Seconds that Redis keeps pages of the feed, which never change."
    )
    data_dir: Path = Field(
        Path("data"),
        alias="CONFLICTO_DATA_DIR",
        description="Directory of the embedded database, the signing key and a generated admin token.",
    )
    secret_key: SecretStr | None = Field(
        None, alias="CONFLICTO_SECRET_KEY", description="Key that signs tokens, at least 32 bytes; without it one is made and kept."
    )
    admin_token: SecretStr | None = Field(
        None,
        alias="CONFLICTO_ADMIN_TOKEN",
        description="The operator's token, at least 16 characters. Without it the first start makes one and shows it at a terminal,"
        " or writes it to `admin-token` in the data directory, mode 0600.",
    )
    metrics_token: SecretStr | None = Field(
        None,
        alias="CONFLICTO_METRICS_TOKEN",
        description="A token that reads `/metrics` and opens nothing else, at least 16 characters; empty: the admin token alone does.",
    )
    max_token_days: int = Field(
        180,
        ge=1,
        le=36_500,
        alias="CONFLICTO_MAX_TOKEN_DAYS",
        description="Days from the first issue of a host, screen or participant token to the end of its last renewal.",
    )
    export_dir: Path | None = Field(
        None,
        alias="CONFLICTO_EXPORT_DIR",
        description="Directory of exports that wait to be downloaded, up to 8 GiB for 15 minutes; empty: `exports` in the data directory."
        " Servers that share a database share it too, or only the one that writes a large export knows it.",
    )
    cors_origins: tuple[str, ...] = Field(
        (), alias="CONFLICTO_CORS_ORIGINS", description="Other origins whose pages may call the API, separated by commas."
    )
    trusted_proxies: str = Field(
        "127.0.0.1,::1",
        alias="CONFLICTO_TRUSTED_PROXIES",
        description="Addresses of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed, separated by commas.",
    )
    activity_types: tuple[Path, ...] = Field(
        (),
        alias="CONFLICTO_ACTIVITY_TYPES",
        description="Folders of activity types beside the installed ones, separated by `:`; each is one type or holds several.",
    )
    public_url: str = Field(
        "",
        alias="CONFLICTO_PUBLIC_URL",
        description=(
            "Address at which phones reach this server, with the path below which it lies if it has one, as in `https://example.org/live`;"
            " empty: the one under which the host opened it."
        ),
    )
    image_origins: tuple[str, ...] = Field(
        (),
        alias="CONFLICTO_PICTURES",
        description="Origins of pictures that hosts may show by address, `https://…`, separated by commas; every phone would ask them.",
    )
    fast_path: bool = Field(
        True, alias="CONFLICTO_EXPRESS", description="`off` sends every poll through ASGI: the same answers, more slowly."
    )
    max_connections: int = Field(
        25_000,
        ge=10,
        le=1_000_000,
        alias="CONFLICTO_MAX_CONNECTIONS",
        description="Connections that one process holds open at once.",
    )
    max_cache_mb: int = Field(
        512,
        ge=16,
        le=1_000_000,
        alias="CONFLICTO_CACHE_MEMORY_MB",
        description="MiB that the caches of one process may hold together: ready answers, sessions, tokens, limits.",
    )
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", alias="CONFLICTO_LOGS", description="`json` or `text`; `auto`: text at a terminal, JSON lines elsewhere."
    )
    access_log: bool = Field(
        False,
        alias="CONFLICTO_ACCESS_LOG",
        description="`on` logs every request that takes the whole way; polls with a ready answer are counted, never logged.",
    )
    retention_days: int = Field(
        0,
        ge=0,
        le=36_500,
        alias="CONFLICTO_RETENTION_DAYS",
        description="Days after which a completed session is deleted with everything in it; 0 keeps it.",
    )
    draft_retention_days: int = Field(
        0,
        ge=0,
        le=36_500,
        alias="CONFLICTO_DRAFT_RETENTION_DAYS",
        description="Days after which a draft in which nothing changed is deleted with everything in it; 0 keeps it.",
    )
    max_session_bytes: int = Field(
        2 * 1024**3,
        ge=0,
        alias="CONFLICTO_MAX_SESSION_BYTES",
        description="Bytes that one session may store, answers, keys, participants, activities and audit together; 0: no cap. "
        "Hosts are warned at 80 %.",
    )
    max_responses: int = Field(
        2_000_000,
        ge=0,
        alias="CONFLICTO_MOST_ANSWERS",
        description="Answers of one session that are kept, of all rounds and with those deleted; 0: no cap. Hosts are warned at 80 %.",
    )
    max_responses_per_participant: int = Field(
        1_000,
        ge=0,
        alias="CONFLICTO_MOST_ANSWERS_EACH",
        description="Answers of one participant that are kept in a round of an activity with the policy `many`; 0: no cap.",
    )
    slow_query_ms: int = Field(
        500,
        ge=0,
        le=600_000,
        alias="CONFLICTO_SLOW_QUERY_MS",
        description="Milliseconds from which on a database statement is counted and logged, with its text and never its parameters;"
        " 0: none is.",
    )
    rate_limits: bool = Field(True, alias="CONFLICTO_RATE_LIMITS", description="`off` turns rate limits off, for load runs.")
    workers: int = Field(
        1,
        ge=1,
        le=256,
        alias="CONFLICTO_WORKERS",
        description="Processes that serve, as `conflicto serve --workers`; more than one needs PostgreSQL.",
    )

    metrics_dir: Path | None = Field(
        None,
        alias="CONFLICTO_METRICS_DIR",
        description="Folder in which workers leave their counts for each other; `conflicto serve --workers` makes one for its own.",
    )

    @field_validator("pictures")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_ORIGIN.fullmatch(each) for each in value):
            message = "holds origins as in https://images.example.org, without a path"
            raise ValueError(message)
        return value

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, value: str) -> str:
        match = _PUBLIC.fullmatch(value)
        if match is None:
            message = (
                "is an address as in https://example.org or https://example.org/live, with letters, digits, - _ . ~ in its path"
            )
            raise ValueError(message)
        if (first := (match["path"] or "/").split("/")[1]) in RESERVED_PATHS:
            message = f"has a path that begins with /{first}, where our own pages lie; choose another"
            raise ValueError(message)
        return value.rstrip("/")

    @field_validator("cors_origins", "pictures", mode="before")
    @classmethod
    def _split_commas(cls, value: Any) -> Any:  # noqa: ANN401 - whatever was given
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("activity_types", mode="before")
    @classmethod
    def _split_colons(cls, value: Any) -> Any:  # noqa: ANN401 - whatever was given
        return tuple(part for part in value.split(":") if part) if isinstance(value, str) else value

    @field_validator("admin_token", "metrics_token")
    @classmethod
    def _check_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and (len(value.get_secret_value()) < MIN_TOKEN_CHARACTERS or "." in value.get_secret_value()):
            message = f"needs at least {MIN_TOKEN_CHARACTERS} characters and no dot"
            raise ValueError(message)
        return value

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(REDIS_SCHEMES):
            message = f"begins with {', '.join(REDIS_SCHEMES[:-1])} or {REDIS_SCHEMES[-1]}"
            raise ValueError(message)
        return value

    @field_validator("secret_key")
    @classmethod
    def _check_secret_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value().encode()) < MIN_KEY_BYTES:
            message = f"needs at least {MIN_KEY_BYTES} bytes"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _check_distinct_tokens(self) -> Settings:
        if self.metrics_token is not None and self.metrics_token == self.admin_token:
            message = "CONFLICTO_METRICS_TOKEN is the admin token too, which may do everything. Choose another one."
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_pool_size(self) -> Settings:
        if not self.is_embedded and self.pool_size < MIN_CONNECTIONS_PER_WORKER * self.workers:
            message = (
                f"DATABASE_POOL_SIZE is {self.pool_size} for {self.workers} workers, and each needs {MIN_CONNECTIONS_PER_WORKER} connections:"
                f" one that writes and one that reads. Set it to {MIN_CONNECTIONS_PER_WORKER * self.workers} or more."
            )
            raise ValueError(message)
        return self

    @property
    def url(self) -> str:
        """The database, the embedded one by default."""
        return self.database_url or f"sqlite:///{self.data_dir / SQLITE_FILE}"

    @property
    def exports_path(self) -> Path:
        """The directory of exports that wait."""
        return self.export_dir or self.data_dir / "exports"

    @property
    def is_embedded(self) -> bool:
        """Whether the database is a file of this process."""
        return self.url.startswith("sqlite")

    def has_json_logs(self, *, at_terminal: bool) -> bool:
        """Whether log lines are JSON."""
        return self.log_format == "json" or (self.log_format == "auto" and not at_terminal)

    def secret(self, name: str) -> str | None:
        """Return a secret setting in the clear."""
        value: SecretStr | None = getattr(self, name)
        return value.get_secret_value() if value else None


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings of an environment; variables that are empty count as missing.

    Raises:
        SettingsInvalid: names the variables and what they need, never their values.
    """
    known = {field.alias for field in Settings.model_fields.values()}
    given = {name: value for name, value in environment.items() if name in known and value}
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        said = "; ".join(": ".join([*map(str, each["loc"]), each["msg"]]) for each in error.errors())
        raise SettingsInvalid(said) from None


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """Return variables that look like settings of ours and are none: most often misspelt ones."""
    known = {field.alias for field in Settings.model_fields.values()}
    return sorted(name for name in environment if name.startswith("CONFLICTO_") and name not in known)
