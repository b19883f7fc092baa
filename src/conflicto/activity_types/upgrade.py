"""Upgrade of an activity's JSON to the newest version of its type, through one or more versions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import msgspec

from conflicto.activity_types.folder_files.manifest import version_key
from conflicto.activity_types.folder_files.upgrade_steps import StepFailed, apply_steps
from conflicto.activity_types.registry import UNRECORDED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.activity_types.folder_files.upgrade_steps import Step, UpgradeSteps
    from conflicto.activity_types.json_schema.validator import SchemaValidator
    from conflicto.activity_types.model import ActivityType
    from conflicto.activity_types.registry import Registry
    from conflicto.platform.problems import FieldError

_decode = msgspec.json.Decoder().decode


class UpgradeFailed(ValueError):
    """The JSON of an activity does not fit the newer version; names the place and the reason."""


@dataclass(frozen=True, slots=True)
class UpgradedContent:
    """JSON texts of an activity in the newer version, and the validator of its answers."""

    config: str
    secret: str | None
    aggregate: str | None
    validator: SchemaValidator


@dataclass(frozen=True, slots=True)
class TypeUpgrade:
    """The steps from one version of a type to the newest one.

    `old_aggregate` is the older version's own aggregate, None if that version is not registered.
    """

    source: str
    target: ActivityType
    chain: tuple[UpgradeSteps, ...]
    old_aggregate: str | None

    def content(self, config: str, secret: str | None, aggregate: str | None) -> UpgradedContent:
        """Return the JSON of an activity in the newer version.

        The older version's own aggregate becomes the newer one's. The host's own aggregate passes
        the steps.

        Raises:
            UpgradeFailed: a step fails, or the result does not fit the newer version.
        """
        new_config = self._changed("config", config)
        new_secret = None if secret is None else self._changed("secret", secret)
        _raise_first(self.target.content_errors(new_config, new_secret))
        validator = cast("SchemaValidator", self.target.response_validator(new_config))  # the config fits
        return UpgradedContent(new_config, new_secret, self._aggregate(aggregate), validator)

    def response(self, text: str, validator: SchemaValidator) -> str:
        """Return an answer in the newer version; raises as `content` does."""
        changed = self._changed("response", text)
        _raise_first(validator.errors(_decode(changed)))
        return changed

    def masked_response(self, text: str) -> str:
        """Return an answer that the word filter masked. Its words need not fit the schema."""
        return self._changed("response", text)

    def _aggregate(self, text: str | None) -> str | None:
        if text is None or text == self.old_aggregate:
            return self.target.aggregate
        changed = self._changed("aggregate", text)
        _raise_first(self.target.aggregate_errors(changed))
        return changed

    def _changed(self, part: str, text: str) -> str:
        try:
            for steps in self.chain:
                declared: tuple[Step, ...] = getattr(steps, part)
                text = apply_steps(declared, text)
        except StepFailed as error:
            message = f"/{part}: {error}"
            raise UpgradeFailed(message) from None
        return text


def upgrades_of(types: Registry, name: str, version: str | None) -> Iterator[TypeUpgrade]:
    """Yield the possible upgrades of an activity, the one to try first before the others.

    There is none for opaque JSON, for the newest version, and without declared steps. For a version
    that was not stored, they begin at every version from the newest to the oldest.
    """
    newest = types.find(name)
    if newest is None or version is None:
        return
    sources = [version]
    if version == UNRECORDED:
        declared = {source for each in types.versions(name) for source in types.get(name, each).upgrades}
        sources = sorted({*types.versions(name), *declared}, key=version_key, reverse=True)
    for source in sources:
        chain = _chain(types, newest, source)
        if chain is not None and (chain or version == UNRECORDED):
            old = types.find_version(name, source)
            yield TypeUpgrade(source, newest, chain, old.aggregate if old else None)


def _chain(types: Registry, target: ActivityType, source: str) -> tuple[UpgradeSteps, ...] | None:
    """Return the steps from a version to `target`, in the largest strides; None without a way."""
    if target.version == source:
        return ()
    if source in target.upgrades:
        return (target.upgrades[source],)
    for between in sorted(target.upgrades, key=version_key):
        known = types.find_version(target.name, between)
        before = _chain(types, known, source) if known and version_key(between) > version_key(source) else None
        if before is not None:
            return (*before, target.upgrades[between])
    return None


def _raise_first(errors: tuple[FieldError, ...]) -> None:
    for error in errors:
        message = f"{error.pointer} {error.message}"
        raise UpgradeFailed(message)
