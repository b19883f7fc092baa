"""All settings, read from environment variables by `app/`, the CLI and the migrations."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from conflicto.platform.db.dialects.registry import dialect_of, parse_database_url
from conflicto.platform.sizes import GIB

if TYPE_CHECKING:
    from collections.abc import Mapping

MIN_TOKEN_CHARACTERS = 16

SQLITE_FILE = "conflicto.sqlite3"

MIN_KEY_BYTES = 32
"""The size of the hash that signs (RFC 7518 §3.2)."""


_PUBLIC = re.compile(r"(?:https?://[^\s/?#\"'<>]+(?P<path>(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*)/?)?", re.ASCII)

RESERVED_PATHS = frozenset({"api", "j", "p", "s", "join", "host", "screen", "health", "metrics", "sw.js", "favicon.ico"})
"""First segments of the server's own paths, which the path of CONFLICTO_PUBLIC_URL must not begin
with."""

_ORIGIN = re.compile(r"https://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?", re.ASCII)

MIN_CONNECTIONS_PER_WORKER = 2
"""One connection that writes and one that reads."""

OLD_NAMES = {
    "CONFLICTO_MOST_ANSWERS": "CONFLICTO_MAX_RESPONSES",
    "CONFLICTO_MOST_ANSWERS_EACH": "CONFLICTO_MAX_RESPONSES_PER_PARTICIPANT",
    "CONFLICTO_PICTURES": "CONFLICTO_IMAGE_ORIGINS",
    "CONFLICTO_EXPRESS": "CONFLICTO_FAST_PATH",
    "CONFLICTO_CACHE_MEMORY_MB": "CONFLICTO_MAX_CACHE_MB",
    "CONFLICTO_LOGS": "CONFLICTO_LOG_FORMAT",
}
"""Deprecated variables and the variables that replace them; both are read until version 1.0."""

REDIS_SCHEMES = ("redis://", "rediss://", "unix://", "redis+sentinel://", "rediss+sentinel://")


class SettingsInvalid(ValueError):
    """An environment variable has an invalid value."""


class Settings(BaseModel):
    """Each setting's alias is its environment variable; its description names the unit."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    database_url: str = Field(
        "", alias="DATABASE_URL", description="`sqlite:///…` or `postgresql://…`; empty: SQLite in the data directory."
    )
    pool_size: int = Field(
        20, ge=2, le=1000, alias="DATABASE_POOL_SIZE", description="Connections kept open by all workers of this machine together."
    )
    max_overflow: int = Field(
        30,
        ge=0,
        le=1000,
        alias="DATABASE_MAX_OVERFLOW",
        description="Temporary connections of all workers of this machine together, beyond the pool size.",
    )
    redis_url: SecretStr | None = Field(
        None,
        alias="REDIS_URL",
        description="`redis://…` of a Redis or Valkey that all workers share, or `redis+sentinel://host:26379,…/SERVICE`. Empty: workers"
        " see each other's changes through the database, one second later.",
    )
    redis_cache_ttl: int = Field(
        300,
        ge=1,
        le=86_400,
        alias="REDIS_CACHE_TTL",
        description="Seconds for which Redis keeps pages of the feed. These pages never change.",
    )
    data_dir: Path = Field(
        Path("data"),
        alias="CONFLICTO_DATA_DIR",
        description="Directory of the embedded database, the signing key, a generated admin token, installed activity types and the files"
        " of earlier pages.",
    )
    secret_key: SecretStr | None = Field(
        None,
        alias="CONFLICTO_SECRET_KEY",
        description="Key that signs tokens, at least 32 bytes. Without it, the first start generates and stores one.",
    )
    admin_token: SecretStr | None = Field(
        None,
        alias="CONFLICTO_ADMIN_TOKEN",
        description="The operator's token, at least 16 characters. Without it, the first start generates one and prints it at a terminal,"
        " or writes it to `admin-token` in the data directory, mode 0600.",
    )
    metrics_token: SecretStr | None = Field(
        None,
        alias="CONFLICTO_METRICS_TOKEN",
        description="Token that only reads `/metrics`, at least 16 characters. Empty: only the admin token reads it.",
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
        description="Directory of exports that wait for download, up to 8 GiB for 15 minutes. Empty: `exports` in the data directory."
        " Servers that share a database need one shared directory, or only the server that wrote a large export can return it.",
    )
    cors_origins: tuple[str, ...] = Field(
        (), alias="CONFLICTO_CORS_ORIGINS", description="Origins of other pages that may call the API, separated by commas."
    )
    trusted_proxies: str = Field(
        "127.0.0.1,::1",
        alias="CONFLICTO_TRUSTED_PROXIES",
        description="Addresses of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted, separated by commas.",
    )
    activity_types: tuple[Path, ...] = Field(
        (),
        alias="CONFLICTO_ACTIVITY_TYPES",
        description="Folders of additional activity types, separated by `:`. Each folder is one type or contains several.",
    )
    session_types_mb: int = Field(
        0,
        ge=0,
        le=100_000,
        alias="CONFLICTO_SESSION_TYPES_MB",
        description="MiB of activity types that hosts may install for their own sessions, all sessions together; 0: hosts install none."
        " Each has up to 256 KiB, and a session up to 5. Their views run in sandboxed frames.",
    )
    public_url: str = Field(
        "",
        alias="CONFLICTO_PUBLIC_URL",
        description=(
            "Address at which phones reach this server, with its path if it has one, as in `https://example.org/live`."
            " Empty: the address at which the host opened the page."
        ),
    )
    image_origins: tuple[str, ...] = Field(
        (),
        alias="CONFLICTO_IMAGE_ORIGINS",
        description="Origins of images that hosts may show by address, `https://…`, separated by commas. Every phone requests them.",
    )
    fast_path: bool = Field(
        True, alias="CONFLICTO_FAST_PATH", description="`off` sends every request through ASGI: the same responses, more slowly."
    )
    max_connections: int = Field(
        25_000,
        ge=10,
        le=1_000_000,
        alias="CONFLICTO_MAX_CONNECTIONS",
        description="Open connections of one process.",
    )
    max_cache_mb: int = Field(
        512,
        ge=16,
        le=1_000_000,
        alias="CONFLICTO_MAX_CACHE_MB",
        description="MiB that all caches of one process may use together: cached responses, sessions, tokens, limits.",
    )
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", alias="CONFLICTO_LOG_FORMAT", description="`json`, `text` or `auto`: text at a terminal, JSON lines elsewhere."
    )
    access_log: bool = Field(
        False,
        alias="CONFLICTO_ACCESS_LOG",
        description="`on` logs every request except polls with a cached response, which are only counted.",
    )
    retention_days: int = Field(
        0,
        ge=0,
        le=36_500,
        alias="CONFLICTO_RETENTION_DAYS",
        description="Days after which a completed session is deleted with everything in it; 0: never.",
    )
    draft_retention_days: int = Field(
        0,
        ge=0,
        le=36_500,
        alias="CONFLICTO_DRAFT_RETENTION_DAYS",
        description="Days after which an unchanged draft session is deleted with everything in it; 0: never.",
    )
    max_session_bytes: int = Field(
        2 * GIB,
        ge=0,
        alias="CONFLICTO_MAX_SESSION_BYTES",
        description="Bytes that one session may store: answers, keys, participants, activities and audit together; 0: no limit. "
        "Hosts see a warning at 80 %.",
    )
    max_responses: int = Field(
        2_000_000,
        ge=0,
        alias="CONFLICTO_MAX_RESPONSES",
        description="Answers that one session may store in all rounds, deleted ones included; 0: no limit. Hosts see a warning at 80 %.",
    )
    max_responses_per_participant: int = Field(
        1_000,
        ge=0,
        alias="CONFLICTO_MAX_RESPONSES_PER_PARTICIPANT",
        description="Answers that one participant may store in a round of an activity with the policy `many`; 0: no limit.",
    )
    slow_query_ms: int = Field(
        500,
        ge=0,
        le=600_000,
        alias="CONFLICTO_SLOW_QUERY_MS",
        description="Milliseconds at which a database statement counts as slow. Slow statements are counted and logged with their text,"
        " never their parameters; 0: no statement.",
    )
    rate_limits: bool = Field(True, alias="CONFLICTO_RATE_LIMITS", description="`off` turns rate limits off, for load tests.")
    workers: int = Field(
        1,
        ge=1,
        le=256,
        alias="CONFLICTO_WORKERS",
        description="Worker processes, as in `conflicto serve --workers`; more than one requires PostgreSQL.",
    )

    metrics_dir: Path | None = Field(
        None,
        alias="CONFLICTO_METRICS_DIR",
        description="Folder through which workers share their metrics. `conflicto serve --workers` creates one for its workers.",
    )

    workers_dir: Path | None = Field(
        None,
        alias="CONFLICTO_WORKERS_DIR",
        description="Folder in which the workers of one machine find each other. It is made if it is missing. A folder that is"
        " open to other accounts (`chmod 700`), or whose path has more than 94 bytes, is refused. `conflicto serve --workers` creates"
        " one for its workers.",
    )

    @field_validator("image_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_ORIGIN.fullmatch(each) for each in value):
            message = "must list origins as in https://images.example.org, without a path"
            raise ValueError(message)
        return value

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, value: str) -> str:
        match = _PUBLIC.fullmatch(value)
        if match is None:
            message = "must be an address as in https://example.org or https://example.org/live, with letters, digits, - _ . ~ in its path"
            raise ValueError(message)
        if (first := (match["path"] or "/").split("/")[1]) in RESERVED_PATHS:
            message = f"must not begin with /{first}, which is a path of the server itself; choose another"
            raise ValueError(message)
        return value.rstrip("/")

    @field_validator("cors_origins", "image_origins", mode="before")
    @classmethod
    def _split_commas(cls, value: Any) -> Any:  # noqa: ANN401 - any input
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("activity_types", mode="before")
    @classmethod
    def _split_colons(cls, value: Any) -> Any:  # noqa: ANN401 - any input
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
            message = f"must begin with {', '.join(REDIS_SCHEMES[:-1])} or {REDIS_SCHEMES[-1]}"
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
            message = "CONFLICTO_METRICS_TOKEN equals CONFLICTO_ADMIN_TOKEN, which may do everything. Choose another one."
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_pool_size(self) -> Settings:
        if not self.is_embedded and self.pool_size < MIN_CONNECTIONS_PER_WORKER * self.workers:
            message = (
                f"DATABASE_POOL_SIZE is {self.pool_size} for {self.workers} workers. Each needs"
                f" {MIN_CONNECTIONS_PER_WORKER} connections: one that writes and one that reads."
                f" Set it to {MIN_CONNECTIONS_PER_WORKER * self.workers} or more."
            )
            raise ValueError(message)
        return self

    @property
    def url(self) -> str:
        """The address of the database; by default SQLite in the data directory."""
        return self.database_url or f"sqlite:///{self.data_dir / SQLITE_FILE}"

    @property
    def exports_path(self) -> Path:
        """The directory of exports that wait for download."""
        return self.export_dir or self.data_dir / "exports"

    @property
    def builds_path(self) -> Path:
        """The directory of the pages' files of this and earlier builds."""
        return self.data_dir / "builds"

    @property
    def packs_path(self) -> Path:
        """The directory of activity types that `conflicto types install` installed."""
        return self.data_dir / "types"

    @property
    def is_embedded(self) -> bool:
        """True if the database is a file of this machine.

        Raises:
            DatabaseUrlInvalid: DATABASE_URL is not the URL of a supported database.
        """
        return not dialect_of(parse_database_url(self.url)).is_shared

    def has_json_logs(self, *, at_terminal: bool) -> bool:
        """Return whether log lines are JSON."""
        return self.log_format == "json" or (self.log_format == "auto" and not at_terminal)

    def secret(self, name: str) -> str | None:
        """Return the value of a secret setting, or None if it is not set."""
        value: SecretStr | None = getattr(self, name)
        return value.get_secret_value() if value else None


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings of an environment. Empty variables count as missing.

    Raises:
        SettingsInvalid: names the variables and what they require, never their values.
    """
    known = {field.alias for field in Settings.model_fields.values()}
    given = {name: value for name, value in _with_new_names(environment).items() if name in known}
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        old_names = {new: old for old, new in deprecated_variables(environment).items()}
        problems = [
            ": ".join([*(old_names.get(str(name), str(name)) for name in each["loc"]), each["msg"]]) for each in error.errors()
        ]
        raise SettingsInvalid("; ".join(problems)) from None


def _with_new_names(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that are not empty, deprecated ones under their new names.

    Raises:
        SettingsInvalid: an old and a new name are set to different values.
    """
    given = {name: value for name, value in environment.items() if value}
    for old, new in deprecated_variables(environment).items():
        value = given.pop(old)
        if given.setdefault(new, value) != value:
            message = f"{old} is the old name of {new}, and both are set to different values. Remove {old}."
            raise SettingsInvalid(message)
    return given


def deprecated_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the deprecated variables that are set, with the names of their replacements."""
    return {old: new for old, new in OLD_NAMES.items() if environment.get(old)}


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """Return variables with our prefix that are no settings, most often misspelt ones."""
    known = {field.alias for field in Settings.model_fields.values()}
    return sorted(name for name in environment if name.startswith("CONFLICTO_") and name not in known and name not in OLD_NAMES)
