"""Conformance kit: tests that every activity type must pass. Import it in a test file of your own.

    from pathlib import Path
    from conflicto.activity_types.testing import ConformanceTests

    class TestMood(ConformanceTests):
        folder = Path(__file__).parent / "mood"

pytest then runs one test per check. Without pytest, `failures(folder)` returns a list of messages.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from conflicto.activity_types.errors import InvalidActivityType
from conflicto.activity_types.folder_files.folder_reader import FolderReader
from conflicto.activity_types.folder_files.view_files import check_views
from conflicto.activity_types.json_schema.binding import ConfigValues
from conflicto.activity_types.json_schema.config_pointers import schemas_at
from conflicto.activity_types.json_schema.subset import SCOPE, walk
from conflicto.activity_types.loader import VERSIONS, load_type
from conflicto.activity_types.names import BASE_LOCALE, RESPONSE_TEXTS, RESULT_TEXTS
from conflicto.activity_types.response_generator.generator import ResponseGenerator
from conflicto.activity_types.scopes import PUBLIC, shown_config
from conflicto.activity_types.upgrade import TypeUpgrade, UpgradeFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from conflicto.activity_types.json_schema.subset import Schema
    from conflicto.activity_types.model import ActivityType

SECTIONS = ("Picture", "Config", "Answer", "Results")
README = "README.md"
PLURALS = (".zero", ".one", ".two", ".few", ".many")
"""Suffixes of plural forms: `key.one` is used for one, plain `key` is the fallback."""

UNKNOWN_FIELD = {"a-field-that-nobody-knows": 1}


def failures(folder: Path) -> list[str]:
    """Return a message for each failed check of the type in a folder."""
    try:
        activity_type = load_type(folder)
    except InvalidActivityType as error:
        return list(map(str, error.faults))
    return [message for check in CHECKS for message in check(activity_type)]


complaints = failures
"""Old name of `failures`, kept until 1.0 for kits that import it."""


class ConformanceTests:
    """One test per check. Derive a class whose name begins with `Test`, and set `folder`."""

    folder: ClassVar[Path]

    def test_the_folder_registers(self) -> None:
        """The folder's files are complete, and its schemas are within the subset."""
        load_type(self.folder)

    def test_examples_are_taken_and_come_back(self) -> None:
        """Configs, secrets and answers of the examples are valid."""
        self._assert_passes(examples_fit)

    def test_examples_show_everything(self) -> None:
        """Every property of config, secret and answer appears in some example."""
        self._assert_passes(examples_are_complete)

    def test_editors_begin_with_known_fields(self) -> None:
        """All fields of `fresh` are properties of config and secret."""
        self._assert_passes(initial_values_are_known)

    def test_what_does_not_fit_is_refused(self) -> None:
        """Null and unknown fields are rejected in configs and answers."""
        self._assert_passes(invalid_json_is_rejected)

    def test_hidden_parts_stay_hidden(self) -> None:
        """Everyone except hosts sees exactly the public part of a config."""
        self._assert_passes(scopes_hide_properties)

    def test_texts_are_complete(self) -> None:
        """Every locale has every text."""
        self._assert_passes(catalogs_are_complete)

    def test_answers_can_be_counted(self) -> None:
        """Every path of the aggregate exists in the examples."""
        self._assert_passes(aggregate_finds_values)

    def test_a_rehearsal_can_answer(self) -> None:
        """Generated answers for rehearsals are valid."""
        self._assert_passes(responses_can_be_generated)

    def test_the_readme_is_complete(self) -> None:
        """The README has a picture, config, answer and results."""
        self._assert_passes(readme_is_complete)

    def test_views_are_modules(self) -> None:
        """Views never write markup from texts, and every key of a text is in the catalog.

        Loading checks syntax, imports and exports.
        """
        self._assert_passes(views_are_safe)
        self._assert_passes(views_use_known_texts)

    def test_upgrades_keep_what_was_answered(self) -> None:
        """Examples of older versions are valid after their upgrade."""
        self._assert_passes(upgrades_fit)

    def _assert_passes(self, check: Callable[[ActivityType], Iterator[str]]) -> None:
        messages = list(check(load_type(self.folder)))
        if messages:
            raise AssertionError("\n".join(messages))


def examples_fit(activity_type: ActivityType) -> Iterator[str]:
    """Yield errors of the examples."""
    if not activity_type.examples:
        yield "examples/ is empty"
    for place, example in enumerate(activity_type.examples):
        config, secret = _text(example["config"]), _text(example["secret"]) if "secret" in example else None
        for error in activity_type.content_errors(config, secret):
            yield f"example {place}{error.pointer}: {error.message}"
        check = activity_type.response_validator(config)
        for answer, response in enumerate(example["responses"]):
            for error in check.errors(response) if check else ():
                yield f"example {place}, answer {answer}{error.pointer}: {error.message}"


def responses_can_be_generated(activity_type: ActivityType) -> Iterator[str]:
    """Yield examples without a generated answer; generated answers are validated before sending."""
    for place, example in enumerate(activity_type.examples):
        config, secret = _text(example["config"]), _text(example["secret"]) if "secret" in example else None
        generator = ResponseGenerator.for_activity(activity_type, config, secret)
        if generator is None or generator.generate(Random(place)) is None:  # noqa: S311 - the same answer each time
            yield f"example {place}: no answer can be generated for a rehearsal"


def examples_are_complete(activity_type: ActivityType) -> Iterator[str]:
    """Yield properties that no example shows."""
    shown = {
        "config": [example["config"] for example in activity_type.examples],
        "secret": [example.get("secret", {}) for example in activity_type.examples],
        "response": [response for example in activity_type.examples for response in example["responses"]],
    }
    for kind, schema in _schemas(activity_type):
        names = {name for part in _branches(schema) for name in part.get("properties", {})}
        seen = {name for value in shown[kind] if isinstance(value, dict) for name in value}
        for name in sorted(names - seen):
            yield f"no example shows {kind}.{name}"


def initial_values_are_known(activity_type: ActivityType) -> Iterator[str]:
    """Yield initial editor values that no schema knows."""
    schemas = dict(_schemas(activity_type))
    for kind, value in activity_type.fresh.items():
        for name in sorted(value.keys() - schemas.get(kind, {}).get("properties", {}).keys()):
            yield f"activity.json has {kind}.{name} in fresh, which no schema knows"


def invalid_json_is_rejected(activity_type: ActivityType) -> Iterator[str]:
    """Yield invalid JSON that is accepted."""
    for place, example in enumerate(activity_type.examples):
        config, secret = example["config"], _text(example["secret"]) if "secret" in example else None
        for name, invalid in (("null", None), ("an unknown field", config | UNKNOWN_FIELD)):
            if not activity_type.content_errors(_text(invalid), secret):
                yield f"example {place}: a config with {name} is accepted"
        check = activity_type.response_validator(_text(config))
        for response in example["responses"]:
            invalid = response | UNKNOWN_FIELD if isinstance(response, dict) else None
            if check and not (check.errors(None) and check.errors(invalid)):
                yield f"example {place}: null or an unknown field is accepted as an answer"


def scopes_hide_properties(activity_type: ActivityType) -> Iterator[str]:
    """Yield properties that are shown to everyone although hidden, or hidden although public."""
    properties = activity_type.config_schema.get("properties", {})
    for place, example in enumerate(activity_type.examples):
        shown = msgspec.json.decode(shown_config(_text(example["config"]), activity_type.scopes, revealed=False))
        public = {name for name in example["config"] if properties.get(name, {}).get(SCOPE, PUBLIC) == PUBLIC}
        for name in sorted(public ^ shown.keys()):
            yield f"example {place}: config.{name} is {'shown' if name in shown else 'hidden'}"


def catalogs_are_complete(activity_type: ActivityType) -> Iterator[str]:
    """Yield missing and unused texts."""
    yield from _locale_faults(activity_type)
    for key in sorted(_unknown_names(activity_type)):
        yield f"i18n/{BASE_LOCALE}.json has {key}, which names no result and no member of an answer"


def _locale_faults(activity_type: ActivityType) -> Iterator[str]:
    base = activity_type.catalogs.get(BASE_LOCALE, {})
    needed = {"title", "description", *_labels(activity_type)}
    for key in sorted(needed - base.keys()):
        yield f"i18n/{BASE_LOCALE}.json lacks {key}"
    if base.get("title", activity_type.title) != activity_type.title:
        yield f"i18n/{BASE_LOCALE}.json has another title than activity.json"
    for locale, catalog in activity_type.catalogs.items():
        for key in sorted(base.keys() ^ catalog.keys()):
            if not key.endswith(PLURALS):
                yield f"i18n/{locale}.json {'lacks' if key in base else 'has an unused'} {key}"
        for key in sorted(key for key in catalog if key.endswith(PLURALS)):
            of = key.rpartition(".")[0]
            if of not in catalog:
                yield f"i18n/{locale}.json has a plural of {of}, which is missing"


def aggregate_finds_values(activity_type: ActivityType) -> Iterator[str]:
    """Yield entries of the aggregate whose path, or key, is missing in all examples."""
    spec = msgspec.json.decode(activity_type.aggregate) if activity_type.aggregate else {}
    if not spec:
        yield "aggregate.json counts nothing"
    for name, options in spec.items():
        found = [
            value for example in activity_type.examples for each in example["responses"] for value in _at(each, options["path"])
        ]
        if not found:
            yield f"aggregate {name}: no answer of the examples holds {options['path']}"
        keys = [value for example in activity_type.examples for value in _at(example.get("secret"), str(options.get("key", "")))]
        if options["op"] == "score" and not any(value is not None for value in keys):
            yield f"aggregate {name}: no secret of the examples holds {options.get('key')}"


def readme_is_complete(activity_type: ActivityType) -> Iterator[str]:
    """Yield sections and fields missing in the README."""
    path = activity_type.folder / README
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    for section in SECTIONS:
        if not sections.get(section, "").strip():
            yield f"{README} has no section {section}"
    if not re.search(r"^(```|~~~)", sections.get("Picture", ""), re.MULTILINE):
        yield f"{README} has no picture in a block of text"
    required = [("Config", name) for name in activity_type.config_schema.get("properties", {})]
    required += [("Results", name) for name in msgspec.json.decode(activity_type.aggregate or "{}")]
    for section, name in required:
        if f"`{name}`" not in sections.get(section, ""):
            yield f"{README} does not mention `{name}` under {section}"


def views_are_safe(activity_type: ActivityType) -> Iterator[str]:
    """Yield places in views that could run code from texts."""
    for name, module in check_views(FolderReader(activity_type.folder)).items():
        yield from (f"ui/{name}:{use.line} uses {use.name}; build elements instead" for use in module.risky)


def views_use_known_texts(activity_type: ActivityType) -> Iterator[str]:
    """Yield keys of texts that views use and no catalog has."""
    known = activity_type.catalogs.get(BASE_LOCALE, {})
    for name, module in check_views(FolderReader(activity_type.folder)).items():
        for use in module.text_keys:
            if use.name not in known:
                similar = get_close_matches(use.name, known, n=1)
                remedy = f"write {similar[0]}, or add it" if similar else "add it"
                yield f"ui/{name}:{use.line} uses the text {use.name}, which i18n/{BASE_LOCALE}.json lacks; {remedy}"


def upgrades_fit(activity_type: ActivityType) -> Iterator[str]:
    """Yield examples of older versions that do not fit after their upgrade."""
    for source, steps in activity_type.upgrades.items():
        folder = activity_type.folder / VERSIONS / source
        try:
            old = load_type(folder, name=activity_type.name)
        except InvalidActivityType as error:
            yield f"upgrades/{source}.json cannot be tested without a valid {VERSIONS}/{source}: {error.faults[0]}"
            continue
        upgrade = TypeUpgrade(source, activity_type, (steps,), old.aggregate)
        for place, example in enumerate(old.examples):
            try:
                _upgrade_example(upgrade, example)
            except UpgradeFailed as error:
                yield f"upgrades/{source}.json: example {place} of version {source} does not fit after it: {error}"


def _upgrade_example(upgrade: TypeUpgrade, example: dict[str, Any]) -> None:
    secret = _text(example["secret"]) if "secret" in example else None
    after = upgrade.content(_text(example["config"]), secret, upgrade.old_aggregate)
    for response in example["responses"]:
        upgrade.response(_text(response), after.validator)


CHECKS: tuple[Callable[[ActivityType], Iterator[str]], ...] = (
    examples_fit,
    examples_are_complete,
    initial_values_are_known,
    invalid_json_is_rejected,
    scopes_hide_properties,
    catalogs_are_complete,
    aggregate_finds_values,
    responses_can_be_generated,
    readme_is_complete,
    views_are_safe,
    upgrades_fit,
    views_use_known_texts,
)


def _schemas(activity_type: ActivityType) -> list[tuple[str, Schema]]:
    found = [("config", activity_type.config_schema), ("response", activity_type.response_schema)]
    return [*found, ("secret", activity_type.secret_schema)] if activity_type.secret_schema else found


def _branches(schema: Schema) -> list[Schema]:
    """Return a schema and the branches of its choices."""
    return [schema, *schema.get("oneOf", ()), *schema.get("anyOf", ()), *schema.get("allOf", ())]


def _labels(activity_type: ActivityType) -> Iterator[str]:
    """Yield a text key for each property in a form.

    Examples: `config.options`, and `config.options.text` below a list.
    """
    for kind, schema in _schemas(activity_type):
        for pointer, part, _ in walk(schema) if kind != "response" else ():
            steps = [step for step in pointer.split("/")[1:] if step not in {"properties", "items"}]
            yield from (".".join([kind, *steps, name]) for name in part.get("properties", {}) if "$defs" not in steps)


def _unknown_names(activity_type: ActivityType) -> Iterator[str]:
    """Yield keys of texts that name an unknown result, member or value of an answer."""
    results = {RESULT_TEXTS + name for name in msgspec.json.decode(activity_type.aggregate or "{}")}
    for key in activity_type.catalogs.get(BASE_LOCALE, {}):
        if key.startswith(RESULT_TEXTS) and key not in results:
            yield key
        elif key.startswith(RESPONSE_TEXTS):
            *steps, last = key.split(".")[1:]
            parts = _parts_at(activity_type.response_schema, steps)
            values = (str(value) for part in parts for value in part.get("enum", ()))
            if last not in {*values, *(name for part in parts for name in part.get("properties", {}))}:
                yield key


def _parts_at(root: Schema, steps: Sequence[str]) -> list[Schema]:
    """Return the schemas of an answer's member and its elements, with all branches of choices."""
    found = [part for path in ("", "/*") for part in schemas_at(root, "".join(f"/{step}" for step in steps) + path)]
    return [branch for part in found for branch in _branches(part)]


def _at(value: object, pointer: str) -> list[Any]:
    return [value] if pointer == "" else ConfigValues(value, {}).at(pointer)


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
