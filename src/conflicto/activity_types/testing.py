"""The conformance kit: what every activity type promises, ours and a stranger's. Import it in a test file of your own.

    from pathlib import Path
    from conflicto.activity_types.testing import ConformanceTests

    class TestMood(ConformanceTests):
        folder = Path(__file__).parent / "mood"

pytest then runs one test for each promise. Without pytest, `complaints(folder)` returns what is not kept.
"""

from __future__ import annotations

import re
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from conflicto.activity_types.binding import ConfigValues
from conflicto.activity_types.errors import InvalidActivityType
from conflicto.activity_types.generator import ResponseGenerator
from conflicto.activity_types.loader import load_type
from conflicto.activity_types.scopes import PUBLIC, shown_config
from conflicto.activity_types.subset import SCOPE, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conflicto.activity_types.model import ActivityType
    from conflicto.activity_types.subset import Schema

BASE_LOCALE = "en"
SECTIONS = ("Picture", "Config", "Answer", "Results")
README = "README.md"
PLURALS = (".zero", ".one", ".two", ".few", ".many")
"""Languages have plurals of their own: `key.one` is said for one, and `key` where nothing else fits."""

UNKNOWN_FIELD = {"a-field-that-nobody-knows": 1}


def failures(folder: Path) -> list[str]:
    """Return a sentence for each promise that the type in a folder does not keep."""
    try:
        known = load_type(folder)
    except InvalidActivityType as error:
        return [str(error)]
    return [said for promise in CHECKS for said in promise(known)]


class ConformanceTests:
    """One test for each promise. Derive a class whose name begins with `Test`, and name the folder."""

    folder: ClassVar[Path]

    def test_the_folder_registers(self) -> None:
        """Its files are whole, and its schemas are within the subset."""
        load_type(self.folder)

    def test_examples_are_taken_and_come_back(self) -> None:
        """Configs, secrets and answers of the examples fit."""
        self._assert_passes(examples_fit)

    def test_examples_show_everything(self) -> None:
        """Every property of config, secret and answer appears in some example."""
        self._assert_passes(examples_are_complete)

    def test_editors_begin_with_known_fields(self) -> None:
        """What `fresh` holds are properties of config and secret."""
        self._assert_passes(initial_values_are_known)

    def test_what_does_not_fit_is_refused(self) -> None:
        """Null, and fields that nobody knows, are no config and no answer."""
        self._assert_passes(invalid_json_is_rejected)

    def test_hidden_parts_stay_hidden(self) -> None:
        """All but hosts see the public part of a config, and exactly that."""
        self._assert_passes(scopes_hide_properties)

    def test_texts_are_complete(self) -> None:
        """Every locale has every text."""
        self._assert_passes(catalogs_are_complete)

    def test_answers_can_be_counted(self) -> None:
        """Every path of the aggregation finds something in the examples."""
        self._assert_passes(aggregate_finds_values)

    def test_a_rehearsal_can_answer(self) -> None:
        """Answers that are made up for scripted participants fit."""
        self._assert_passes(responses_can_be_generated)

    def test_the_readme_tells_it_all(self) -> None:
        """Its picture, config, answer and results."""
        self._assert_passes(readme_is_complete)

    def test_views_are_modules(self) -> None:
        """They export an element, and write no markup that came from people."""
        self._assert_passes(views_are_safe)

    def _assert_passes(self, promise: Callable[[ActivityType], Iterator[str]]) -> None:
        said = list(promise(load_type(self.folder)))
        if said:
            raise AssertionError("\n".join(said))


def examples_fit(known: ActivityType) -> Iterator[str]:
    """Yield what is wrong with the examples."""
    if not known.examples:
        yield "examples/ holds no example"
    for place, example in enumerate(known.examples):
        config, secret = _text(example["config"]), _text(example["secret"]) if "secret" in example else None
        for fault in known.content_errors(config, secret):
            yield f"example {place}{fault.pointer}: {fault.message}"
        check = known.response_validator(config)
        for answer, response in enumerate(example["responses"]):
            for fault in check.errors(response) if check else ():
                yield f"example {place}, answer {answer}{fault.pointer}: {fault.message}"


def responses_can_be_generated(known: ActivityType) -> Iterator[str]:
    """Yield which example's activity nobody can be made to answer; what is made up is checked before it is sent."""
    for place, example in enumerate(known.examples):
        config, secret = _text(example["config"]), _text(example["secret"]) if "secret" in example else None
        imitation = ResponseGenerator.for_activity(known, config, secret)
        if imitation is None or imitation.generate(Random(place)) is None:  # noqa: S311 - the same answer each time
            yield f"example {place}: no answer can be made up for a rehearsal"


def examples_are_complete(known: ActivityType) -> Iterator[str]:
    """Yield properties that no example shows."""
    shown = {
        "config": [example["config"] for example in known.examples],
        "secret": [example.get("secret", {}) for example in known.examples],
        "response": [response for example in known.examples for response in example["responses"]],
    }
    for kind, schema in _schemas(known):
        names = {name for part in _branches(schema) for name in part.get("properties", {})}
        seen = {name for value in shown[kind] if isinstance(value, dict) for name in value}
        for name in sorted(names - seen):
            yield f"no example shows {kind}.{name}"


def initial_values_are_known(known: ActivityType) -> Iterator[str]:
    """Yield what an editor would begin with although no schema knows it."""
    schemas = dict(_schemas(known))
    for kind, value in known.fresh.items():
        for name in sorted(value.keys() - schemas.get(kind, {}).get("properties", {}).keys()):
            yield f"activity.json begins with {kind}.{name}, which no schema knows"


def invalid_json_is_rejected(known: ActivityType) -> Iterator[str]:
    """Yield what is taken although it should not be."""
    for place, example in enumerate(known.examples):
        config, secret = example["config"], _text(example["secret"]) if "secret" in example else None
        for name, strange in (("null", None), ("an unknown field", config | UNKNOWN_FIELD)):
            if not known.content_errors(_text(strange), secret):
                yield f"example {place}: a config with {name} is taken"
        check = known.response_validator(_text(config))
        for response in example["responses"]:
            strange = response | UNKNOWN_FIELD if isinstance(response, dict) else None
            if check and not (check.errors(None) and check.errors(strange)):
                yield f"example {place}: null or an unknown field is taken as an answer"


def scopes_hide_properties(known: ActivityType) -> Iterator[str]:
    """Yield properties that others than hosts see although they should not, or do not see although they should."""
    properties = known.config_schema.get("properties", {})
    for place, example in enumerate(known.examples):
        shown = msgspec.json.decode(shown_config(_text(example["config"]), known.scopes, revealed=False))
        public = {name for name in example["config"] if properties.get(name, {}).get(SCOPE, PUBLIC) == PUBLIC}
        for name in sorted(public ^ shown.keys()):
            yield f"example {place}: config.{name} is {'shown' if name in shown else 'hidden'}"


def catalogs_are_complete(known: ActivityType) -> Iterator[str]:
    """Yield texts that are missing, or that nothing asks for."""
    base = known.catalogs.get(BASE_LOCALE, {})
    needed = {"title", "description", *_labels(known)}
    for key in sorted(needed - base.keys()):
        yield f"i18n/{BASE_LOCALE}.json lacks {key}"
    if base.get("title", known.title) != known.title:
        yield f"i18n/{BASE_LOCALE}.json has another title than activity.json"
    for locale, catalog in known.catalogs.items():
        for key in sorted(base.keys() ^ catalog.keys()):
            if not key.endswith(PLURALS):
                yield f"i18n/{locale}.json {'lacks' if key in base else 'alone holds'} {key}"
        for key in sorted(key for key in catalog if key.endswith(PLURALS)):
            of = key.rpartition(".")[0]
            if of not in catalog:
                yield f"i18n/{locale}.json has a plural of {of}, which is not there"


def aggregate_finds_values(known: ActivityType) -> Iterator[str]:
    """Yield names of the aggregation whose path, or key, leads nowhere in all examples."""
    spec = msgspec.json.decode(known.aggregate) if known.aggregate else {}
    if not spec:
        yield "aggregate.json counts nothing"
    for name, options in spec.items():
        found = [value for example in known.examples for each in example["responses"] for value in _at(each, options["path"])]
        if not found:
            yield f"aggregate {name}: no answer of the examples holds {options['path']}"
        keys = [value for example in known.examples for value in _at(example.get("secret"), str(options.get("key", "")))]
        if options["op"] == "score" and not any(value is not None for value in keys):
            yield f"aggregate {name}: no secret of the examples holds {options.get('key')}"


def readme_is_complete(known: ActivityType) -> Iterator[str]:
    """Yield what the README does not tell."""
    path = known.folder / README
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    for section in SECTIONS:
        if not sections.get(section, "").strip():
            yield f"{README} has no section {section}"
    if not re.search(r"^(```|~~~)", sections.get("Picture", ""), re.MULTILINE):
        yield f"{README} has no picture in a block of text"
    told = [("Config", name) for name in known.config_schema.get("properties", {})]
    told += [("Results", name) for name in msgspec.json.decode(known.aggregate or "{}")]
    for section, name in told:
        if f"`{name}`" not in sections.get(section, ""):
            yield f"{README} does not tell of `{name}` under {section}"


def views_are_safe(known: ActivityType) -> Iterator[str]:
    """Yield views that are no modules, or that could run what people typed."""
    for view in known.ui:
        source = (known.folder / "ui" / f"{view}.js").read_text(encoding="utf-8")
        if "export default" not in source:
            yield f"ui/{view}.js exports nothing by default"
        for risky in ("innerHTML", "insertAdjacentHTML", "eval("):
            if risky in source:
                yield f"ui/{view}.js uses {risky}"


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
)


def _schemas(known: ActivityType) -> list[tuple[str, Schema]]:
    found = [("config", known.config_schema), ("response", known.response_schema)]
    return [*found, ("secret", known.secret_schema)] if known.secret_schema else found


def _branches(schema: Schema) -> list[Schema]:
    """Return a schema with the forms between which it leaves the choice."""
    return [schema, *schema.get("oneOf", ()), *schema.get("anyOf", ()), *schema.get("allOf", ())]


def _labels(known: ActivityType) -> Iterator[str]:
    """Yield a key for each property that a form asks for: `config.options`, and `config.options.text` below a list."""
    for kind, schema in _schemas(known):
        for pointer, part, _ in walk(schema) if kind != "response" else ():
            steps = [step for step in pointer.split("/")[1:] if step not in {"properties", "items"}]
            yield from (".".join([kind, *steps, name]) for name in part.get("properties", {}) if "$defs" not in steps)


def _at(value: object, pointer: str) -> list[Any]:
    return [value] if pointer == "" else ConfigValues(value, {}).at(pointer)


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
