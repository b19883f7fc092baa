"""What an activity type is, and what it says of an activity's JSON and of an answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from conflicto.activity_types.binding import ConfigValues, bind, defaults_of, has_config_limits
from conflicto.activity_types.hints import RehearsalHints
from conflicto.activity_types.validator import SchemaValidator

if TYPE_CHECKING:
    from pathlib import Path

    from conflicto.activity_types.subset import Schema
    from conflicto.platform.problems import FieldError

CONFIG, SECRET, RESPONSE = "/config", "/secret", "/response_data"
"""Where the three stand in a body."""

_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, kw_only=True)
class ActivityType:
    """One registered type. `aggregate` and `scopes` are compact JSON texts, as activities store them; None: there is none.

    `order` is its place in lists. `defaults` are what an activity of this type has where its host says nothing; those of
    `defaults_for_many` come first under the policy `many`. `fresh` are the config and secret that an editor begins with: they need not
    fit yet. `catalogs` hold texts by locale and key, `ui` the views that the folder brings: `participant`, `screen`, `editor`. `habits`
    say how people answer, for rehearsals.
    """

    name: str
    version: str
    title: str
    icon: str
    folder: Path
    order: int
    defaults: dict[str, Any]
    defaults_for_many: dict[str, Any]
    fresh: dict[str, Any]
    config_schema: Schema
    response_schema: Schema
    secret_schema: Schema | None
    aggregate: str | None
    scopes: str | None
    examples: tuple[dict[str, Any], ...]
    catalogs: dict[str, dict[str, str]]
    ui: tuple[str, ...]
    rehearsal_hints: RehearsalHints

    def defaults_under(self, policy: str | None) -> dict[str, Any]:
        """Return the defaults under a response policy; None: the type's own, which is `one` where it says nothing."""
        is_many = (policy or self.defaults.get("response_policy")) == "many"
        return {**self.defaults, **self.defaults_for_many} if is_many else self.defaults

    def content_errors(self, config: str, secret: str | None) -> tuple[FieldError, ...]:
        """Return what does not fit in an activity's config and secret, given as gated texts."""
        value = _decode(config)
        faults = self._config_errors(value)
        if faults or self.secret_schema is None:
            return faults
        return SchemaValidator(bind(self.secret_schema, self._config_values(value)), SECRET).errors(_decode(secret or "{}"))

    def response_validator(self, config: str) -> SchemaValidator | None:
        """Return the check of answers to an activity with this config, compiled: keep it as long as the config.

        None: the config is not what the type asks for, so the activity is older than its type and stays opaque.
        """
        schema = self.bound_response_schema(config)
        return None if schema is None else SchemaValidator(schema, RESPONSE)

    def bound_response_schema(self, config: str) -> Schema | None:
        """Return the plain schema of answers to an activity with this config; None as for `response_check`."""
        value = _decode(config)
        return None if self._config_errors(value) else bind(self.response_schema, self._config_values(value))

    def errors(self, texts: dict[str, str]) -> tuple[FieldError, ...]:
        """Return what does not fit in those of `config`, `secret` and `response_data` that are given, as gated texts.

        Without a config, secret and answer are held against what every config asks for.
        """
        config = texts.get("config")
        found = self.content_errors(config, texts.get("secret")) if config is not None else ()
        check = self.response_validator(config) if config is not None else SchemaValidator(self.response_schema, RESPONSE)
        if config is None and "secret" in texts and self.secret_schema is not None:
            found += SchemaValidator(self.secret_schema, SECRET).errors(_decode(texts["secret"]))
        if check is not None and "response_data" in texts:
            found += check.errors(_decode(texts["response_data"]))
        return found

    def _config_errors(self, config: object) -> tuple[FieldError, ...]:
        faults = self._config_validator.errors(config)
        if faults or not has_config_limits(self.config_schema):
            return faults
        return SchemaValidator(bind(self.config_schema, self._config_values(config)), CONFIG).errors(config)

    def _config_values(self, config: object) -> ConfigValues:
        return ConfigValues(config, defaults_of(self.config_schema))

    @cached_property
    def _config_validator(self) -> SchemaValidator:
        return SchemaValidator(self.config_schema, CONFIG)
