"""The model of an activity type: validates configs, secrets and answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from conflicto.activity_types.folder_files.hints import RehearsalHints
from conflicto.activity_types.folder_files.pointer_checks import aggregate_faults
from conflicto.activity_types.folder_files.schema_files import TypeSchemas
from conflicto.activity_types.json_schema.binding import ConfigValues, bind, defaults_of, has_config_limits
from conflicto.activity_types.json_schema.validator import SchemaValidator
from conflicto.aggregation.spec import spec_faults
from conflicto.platform.problems import FieldError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conflicto.activity_types.folder_files.upgrade_steps import UpgradeSteps
    from conflicto.activity_types.json_schema.subset import Schema
    from conflicto.activity_types.origin import Origin

CONFIG, SECRET, RESPONSE, AGGREGATE = "/config", "/secret", "/response_data", "/aggregate"
"""JSON pointers of the values in a request body."""

_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, kw_only=True)
class ActivityType:
    """A registered type. `aggregate` and `scopes` are compact JSON texts, None if absent.

    `order` is the position in lists. `defaults` apply where the host omits a field; under the
    policy `many`, `defaults_for_many` take precedence. `fresh` is the initial config and secret in
    an editor, which need not be valid yet. `catalogs` are texts by locale and key, `ui` the views
    in the folder: `participant`, `screen`, `editor`. `module_lines` are the numbers of lines of
    all modules in `ui` by file name. `origin` is where the folder was found. `license` is an SPDX
    expression, and `requires` a range of versions of the program. `drawings` are the declared
    drawings by name of a result, `upgrades` the steps from older versions.
    """

    name: str
    version: str
    title: str
    icon: str
    folder: Path
    origin: Origin
    order: int
    defaults: dict[str, Any]
    defaults_for_many: dict[str, Any]
    fresh: dict[str, Any]
    authors: tuple[str, ...]
    license: str | None
    homepage: str | None
    requires: str | None
    config_schema: Schema
    response_schema: Schema
    secret_schema: Schema | None
    aggregate: str | None
    scopes: str | None
    examples: tuple[dict[str, Any], ...]
    catalogs: dict[str, dict[str, str]]
    ui: tuple[str, ...]
    module_lines: dict[str, int]
    rehearsal_hints: RehearsalHints
    drawings: dict[str, dict[str, Any]] = field(default_factory=dict)
    upgrades: Mapping[str, UpgradeSteps] = field(default_factory=dict)

    def key(self, newest: str) -> str:
        """Return the name of this version in addresses and data of pages: `mood`, or `mood.1`.

        `newest` is the newest version of the type.
        """
        return self.name if self.version == newest else f"{self.name}.{self.version}"

    def defaults_under(self, policy: str | None) -> dict[str, Any]:
        """Return the defaults under a response policy; None: the type's own policy, else `one`."""
        is_many = (policy or self.defaults.get("response_policy")) == "many"
        return {**self.defaults, **self.defaults_for_many} if is_many else self.defaults

    def content_errors(self, config: str, secret: str | None) -> tuple[FieldError, ...]:
        """Return the errors of an activity's config and secret, given as canonical JSON."""
        value = _decode(config)
        errors = self._config_errors(value)
        schema = self.bound_secret_schema(value) if not errors else None
        return errors if schema is None else SchemaValidator(schema, SECRET).errors(_decode(secret or "{}"))

    def response_validator(self, config: str) -> SchemaValidator | None:
        """Return the compiled validator of answers under this config; cache it with the config.

        None: the config does not fit this version of the type, so no answer can be checked.
        """
        schema = self.bound_response_schema(config)
        return None if schema is None else SchemaValidator(schema, RESPONSE)

    def bound_response_schema(self, config: str) -> Schema | None:
        """Return the schema of answers under this config; None as for `response_validator`."""
        value = _decode(config)
        return None if self._config_errors(value) else bind(self.response_schema, self._config_values(value))

    def bound_secret_schema(self, config: object) -> Schema | None:
        """Return the schema of the secret under a config; None if the type has no secret."""
        return None if self.secret_schema is None else bind(self.secret_schema, self._config_values(config))

    def aggregate_errors(self, text: str) -> tuple[FieldError, ...]:
        """Return the errors of a host's own aggregate, by the rules for `aggregate.json`."""
        value = _decode(text)
        found = tuple(FieldError(AGGREGATE + pointer, message) for pointer, message in spec_faults(value))
        schemas = TypeSchemas(self.config_schema, self.response_schema, self.secret_schema)
        return found or tuple(
            FieldError(AGGREGATE + pointer, f"{message}. {remedy.rstrip('.')}")
            for pointer, message, remedy in aggregate_faults(value, schemas)
        )

    def errors(self, texts: dict[str, str]) -> tuple[FieldError, ...]:
        """Return the errors of `config`, `secret` and `response_data`, given as canonical JSON.

        Each is optional. Without a config, secret and answer are checked against the rules that
        hold for every config.
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
        errors = self._config_validator.errors(config)
        if errors or not has_config_limits(self.config_schema):
            return errors
        return SchemaValidator(bind(self.config_schema, self._config_values(config)), CONFIG).errors(config)

    def _config_values(self, config: object) -> ConfigValues:
        return ConfigValues(config, defaults_of(self.config_schema))

    @cached_property
    def _config_validator(self) -> SchemaValidator:
        return SchemaValidator(self.config_schema, CONFIG)
