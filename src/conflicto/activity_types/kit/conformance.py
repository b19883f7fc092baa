"""Conformance kit: tests that every activity type must pass. Import it in a test file of your own.

    from pathlib import Path
    from conflicto.activity_types.testing import ConformanceTests

    class TestMood(ConformanceTests):
        folder = Path(__file__).parent / "mood"

pytest then runs one test per check. Without pytest, `failures(folder)` returns a list of messages.
"""

from __future__ import annotations

from difflib import get_close_matches
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from conflicto.activity_types.errors import InvalidActivityType
from conflicto.activity_types.folder_files.folder_reader import FolderReader
from conflicto.activity_types.folder_files.schema_files import CONFIG_FILE, RESPONSE_FILE
from conflicto.activity_types.folder_files.upgrade_files import UPGRADES
from conflicto.activity_types.folder_files.view_files import check_views
from conflicto.activity_types.json_schema.binding import ConfigValues
from conflicto.activity_types.json_schema.config_pointers import names_at, schemas_at
from conflicto.activity_types.json_schema.subset import SCOPE, walk
from conflicto.activity_types.json_schema.validator import UNKNOWN_MEMBER
from conflicto.activity_types.kit.places import EXAMPLES, examples_of, fault_at
from conflicto.activity_types.kit.readme import readme_is_complete
from conflicto.activity_types.kit.unread_files import files_are_read, versions_load
from conflicto.activity_types.loader import AGGREGATE_FILE, MANIFEST_FILE, VERSIONS, load_type
from conflicto.activity_types.model import RESPONSE
from conflicto.activity_types.names import BASE_LOCALE, RESPONSE_TEXTS, RESULT_TEXTS
from conflicto.activity_types.response_generator.generator import ResponseGenerator
from conflicto.activity_types.scopes import PUBLIC, shown_config
from conflicto.activity_types.upgrade import TypeUpgrade, UpgradeFailed
from conflicto.aggregation.pointer import find, parse
from conflicto.platform.problems import FieldError
from conflicto.platform.strict_json import pointer_escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from conflicto.activity_types.json_schema.subset import Schema
    from conflicto.activity_types.model import ActivityType

BASE_CATALOG = f"i18n/{BASE_LOCALE}.json"
CLOSE_SCHEMA = 'Write a "type" and, for objects, "additionalProperties": false.'
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
        """The folder's files are complete and read, and its schemas are within the subset."""
        self._assert_passes(files_are_read)
        self._assert_passes(versions_load)

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
        remedy = "Add a file such as examples/first.json with config and responses."
        yield fault_at(activity_type, EXAMPLES, "holds no example", remedy)
    for file, example in examples_of(activity_type):
        config, secret = _content(example)
        errors = list(activity_type.content_errors(config, secret))
        check = activity_type.response_validator(config)
        for answer, response in enumerate(example["responses"]):
            found = check.errors(response) if check else ()
            errors += [FieldError(f"/responses/{answer}{each.pointer.removeprefix(RESPONSE)}", each.message) for each in found]
        for error in errors:
            yield fault_at(activity_type, file, *_example_fault(activity_type, example, error), error.pointer)


def _example_fault(activity_type: ActivityType, example: dict[str, Any], error: FieldError) -> tuple[str, str]:
    """Return message and remedy; unlike a participant's, an author's unknown fields are named."""
    kind, _, below = error.pointer[1:].partition("/")
    below = below.partition("/")[2] if kind == "responses" else below
    schema = dict(_schemas(activity_type)).get("response" if kind == "responses" else kind, {})
    value = find(example, parse(error.pointer) or ())
    known = names_at(schema, (f"/{below}" if below else "") + "/*")
    unknown = sorted(value.keys() - known) if error.message == UNKNOWN_MEMBER and isinstance(value, dict) else []
    if unknown:
        return f"holds {', '.join(unknown)}, which is not known here", f"Remove it. Known: {', '.join(known) or 'nothing'}."
    return error.message, "Correct the example, or the schema."


def responses_can_be_generated(activity_type: ActivityType) -> Iterator[str]:
    """Yield examples without a generated answer; generated answers are validated before sending."""
    for place, (file, example) in enumerate(examples_of(activity_type)):
        generator = ResponseGenerator.for_activity(activity_type, *_content(example))
        if generator is None or generator.generate(Random(place)) is None:  # noqa: S311 - the same answer each time
            remedy = "Correct the example's config first, or simplify response.schema.json."
            yield fault_at(activity_type, file, "no answer can be generated for a rehearsal", remedy, "/config")


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
            message, remedy = f"no example shows {kind}.{name}", "Add it to an example, so that everybody sees a use of it."
            yield fault_at(activity_type, f"{kind}.schema.json", message, remedy, f"/properties/{pointer_escape(name)}")


def initial_values_are_known(activity_type: ActivityType) -> Iterator[str]:
    """Yield initial editor values that no schema knows."""
    schemas = dict(_schemas(activity_type))
    for kind, value in activity_type.fresh.items():
        known = schemas.get(kind, {}).get("properties", {}).keys()
        for name in sorted(value.keys() - known):
            message, remedy = f"no schema knows {kind}.{name}", f"Remove it. Known: {', '.join(known) or 'nothing'}."
            yield fault_at(activity_type, MANIFEST_FILE, message, remedy, f"/fresh/{kind}/{pointer_escape(name)}")


def invalid_json_is_rejected(activity_type: ActivityType) -> Iterator[str]:
    """Yield the schemas that accept invalid JSON."""
    takes_config = takes_response = False
    for example in activity_type.examples:
        config, secret = _content(example)
        takes_config |= not activity_type.content_errors(_text(example["config"] | UNKNOWN_FIELD), secret)
        check = activity_type.response_validator(config)
        for response in example["responses"]:
            invalid = response | UNKNOWN_FIELD if isinstance(response, dict) else None
            takes_response |= bool(check and not (check.errors(None) and check.errors(invalid)))
    if takes_config:
        yield fault_at(activity_type, CONFIG_FILE, "accepts a config with an unknown field", CLOSE_SCHEMA)
    if takes_response:
        yield fault_at(activity_type, RESPONSE_FILE, "accepts null, or an unknown field, as an answer", CLOSE_SCHEMA)


def scopes_hide_properties(activity_type: ActivityType) -> Iterator[str]:
    """Yield properties that are shown to everyone although hidden, or hidden although public."""
    properties = activity_type.config_schema.get("properties", {})
    for file, example in examples_of(activity_type):
        shown = msgspec.json.decode(shown_config(_text(example["config"]), activity_type.scopes, revealed=False))
        public = {name for name in example["config"] if properties.get(name, {}).get(SCOPE, PUBLIC) == PUBLIC}
        for name in sorted(public ^ shown.keys()):
            message = f"participants {'see' if name in shown else 'do not see'} config.{name}"
            yield fault_at(activity_type, file, message, f"Correct its {SCOPE}.", f"/config/{pointer_escape(name)}")


def catalogs_are_complete(activity_type: ActivityType) -> Iterator[str]:
    """Yield missing and unused texts."""
    yield from _base_locale_faults(activity_type)
    for locale, catalog in activity_type.catalogs.items():
        yield from _locale_faults(activity_type, f"i18n/{locale}.json", catalog)
    for key in sorted(_unknown_names(activity_type)):
        message = f"{key} names no result and no member of an answer"
        yield fault_at(activity_type, BASE_CATALOG, message, "Correct the key, or remove it.", f"/{pointer_escape(key)}")


def _base_locale_faults(activity_type: ActivityType) -> Iterator[str]:
    base = activity_type.catalogs.get(BASE_LOCALE)
    needed = sorted({"title", "description", *_labels(activity_type)})
    if base is None:
        yield fault_at(activity_type, BASE_CATALOG, "is missing", f"Write it with the texts {', '.join(needed)}.")
        return
    for key in needed:
        if key not in base:
            yield fault_at(activity_type, BASE_CATALOG, f"lacks {key}", "Add the text.")
    if base.get("title", activity_type.title) != activity_type.title:
        message = f"has another title than {MANIFEST_FILE}, {activity_type.title}"
        yield fault_at(activity_type, BASE_CATALOG, message, "Write one title in both files.", "/title")


def _locale_faults(activity_type: ActivityType, file: str, catalog: Mapping[str, str]) -> Iterator[str]:
    base = activity_type.catalogs.get(BASE_LOCALE, {})
    for key in sorted(base.keys() ^ catalog.keys()):
        if key.endswith(PLURALS):
            continue
        if key in base:
            yield fault_at(activity_type, file, f"lacks {key}", f"Translate it from {BASE_CATALOG}.")
        else:
            remedy = f"Add it to {BASE_CATALOG}, or remove it here."
            yield fault_at(activity_type, file, f"has an unused {key}", remedy, f"/{pointer_escape(key)}")
    for key in sorted(key for key in catalog if key.endswith(PLURALS)):
        of = key.rpartition(".")[0]
        if of not in catalog:
            message = f"has a plural of {of}, which is missing"
            yield fault_at(activity_type, file, message, f"Add {of}, the form for other numbers.", f"/{pointer_escape(key)}")


def aggregate_finds_values(activity_type: ActivityType) -> Iterator[str]:
    """Yield entries of the aggregate whose path, or key, is missing in all examples."""
    spec = msgspec.json.decode(activity_type.aggregate) if activity_type.aggregate else {}
    if not spec:
        yield fault_at(activity_type, AGGREGATE_FILE, "counts nothing", "Add a name with path and op.")
    for name, options in spec.items():
        found = [
            value for example in activity_type.examples for each in example["responses"] for value in _at(each, options["path"])
        ]
        if not found:
            message = f"no answer of the examples holds {options['path']}"
            yield fault_at(activity_type, AGGREGATE_FILE, message, "Add it to an example, or correct the path.", f"/{name}/path")
        keys = [value for example in activity_type.examples for value in _at(example.get("secret"), str(options.get("key", "")))]
        if options["op"] == "score" and not any(value is not None for value in keys):
            message = f"no secret of the examples holds {options.get('key')}"
            yield fault_at(activity_type, AGGREGATE_FILE, message, "Add it to an example, or correct the key.", f"/{name}/key")


def views_are_safe(activity_type: ActivityType) -> Iterator[str]:
    """Yield places in views that could run code from texts."""
    for name, module in check_views(FolderReader(activity_type.folder)).items():
        for use in module.risky:
            yield fault_at(activity_type, f"ui/{name}", f"uses {use.name}", "Build elements instead.", line=use.line)


def views_use_known_texts(activity_type: ActivityType) -> Iterator[str]:
    """Yield keys of texts that views use and no catalog has."""
    known = activity_type.catalogs.get(BASE_LOCALE, {})
    for name, module in check_views(FolderReader(activity_type.folder)).items():
        for use in module.text_keys:
            if use.name not in known:
                similar = get_close_matches(use.name, known, n=1)
                remedy = f"Write {similar[0]}, or add it." if similar else "Add it."
                message = f"uses the text {use.name}, which {BASE_CATALOG} lacks"
                yield fault_at(activity_type, f"ui/{name}", message, remedy, line=use.line)


def upgrades_fit(activity_type: ActivityType) -> Iterator[str]:
    """Yield examples of older versions that do not fit after their upgrade."""
    for source, steps in activity_type.upgrades.items():
        folder = activity_type.folder / VERSIONS / source
        try:
            old = load_type(folder, name=activity_type.name)
        except InvalidActivityType as error:
            message = f"cannot be tested without a valid {VERSIONS}/{source}: {error.faults[0]}"
            yield fault_at(activity_type, f"{UPGRADES}/{source}.json", message, "Correct that version first.")
            continue
        upgrade = TypeUpgrade(source, activity_type, (steps,), old.aggregate)
        for file, example in examples_of(old):
            try:
                _upgrade_example(upgrade, example)
            except UpgradeFailed as error:
                message = f"{VERSIONS}/{source}/{file} does not fit after it: {error}"
                yield fault_at(activity_type, f"{UPGRADES}/{source}.json", message, "Correct or add a step.")


def _upgrade_example(upgrade: TypeUpgrade, example: dict[str, Any]) -> None:
    after = upgrade.content(*_content(example), upgrade.old_aggregate)
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
    files_are_read,
    versions_load,
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


def _content(example: dict[str, Any]) -> tuple[str, str | None]:
    """Return config and secret of an example as JSON texts."""
    return _text(example["config"]), _text(example["secret"]) if "secret" in example else None


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
