"""Tests of schemas for client generators: names of classes and enumerations, formats of strings."""

import re
from collections.abc import Iterator
from typing import Any

from conflicto.platform.http.openapi.names import _NAMES

Document = dict[str, Any]
Place = tuple[str | int, ...]

INSTANTS = re.compile(r"(.*_)?(at|updated|since|time)")
PLACES = {"since"}
"""Places in the feed, which may be written as an instant."""

OF_MANY_KINDS = {"entity_id"}


def parts(part: Any, place: Place = ()) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Yield each object of a document that may be a schema, with its place, without examples."""
    if isinstance(part, dict):
        yield place, part
        for name, value in part.items():
            if name not in {"example", "examples"}:
                yield from parts(value, (*place, name))
    elif isinstance(part, list):
        for number, value in enumerate(part):
            yield from parts(value, (*place, number))


def members(document: Document) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield each member of a named schema with its own schema, beside which null may stand."""
    for model, schema in document["components"]["schemas"].items():
        for name, member in schema.get("properties", {}).items():
            yield model, name, next((each for each in member.get("anyOf", ()) if each.get("type") != "null"), member)


def is_named(place: Place) -> bool:
    return place[:2] == ("components", "schemas") and len(place) == 3


def test_instants_are_declared_as_such(document: Document) -> None:
    instants = {
        (model, name): member for model, name, member in members(document) if INSTANTS.fullmatch(name) and name not in PLACES
    }

    assert {where for where, member in instants.items() if member.get("format") != "date-time"} == set()
    assert len(instants) > 30


def test_ids_in_bodies_have_the_type_that_paths_take(document: Document) -> None:
    taken = {
        parameter["name"]: (parameter["schema"]["type"], parameter["schema"].get("format"))
        for _, part in parts(document["paths"])
        for parameter in part.get("parameters", ())
        if parameter.get("in") == "path"
    }
    of_models = {"Activity": "activity_id", "Link": "link_id", "ParticipantResponse": "response_id", "Session": "session_id"}
    found = {
        (model, name): ((member["type"], member.get("format")), taken[path])
        for model, name, member in members(document)
        if name.endswith("id") and name not in OF_MANY_KINDS
        for path in [of_models.get(model, "") if name == "id" else re.sub(r"^(current|shown)_(?=activity)|^focus_", "", name)]
        if path in taken
    }

    assert {where for where, (given, wanted) in found.items() if given != wanted} == set()
    assert {"Activity", "Link", "ParticipantResponse", "Session", "Seat", "SessionStatusReport"} <= {model for model, _ in found}


def test_enumerations_unions_and_objects_have_names(document: Document) -> None:
    unnamed = {
        place
        for place, part in parts(document)
        if not is_named(place)
        if "enum" in part or "oneOf" in part or len([each for each in part.get("anyOf", ()) if each.get("type") != "null"]) > 1
        or (part.get("type") == "object" and "properties" in part)
    }  # fmt: skip

    assert unnamed == set()


def test_every_chosen_name_is_used(document: Document) -> None:
    """A renamed model would lose its chosen name, which generated clients use."""
    unused = set(_NAMES.values()) - document["components"]["schemas"].keys()

    assert unused == set()


def test_titles_only_repeat_names_of_schemas(document: Document) -> None:
    titles = {place for place, part in parts(document) if isinstance(part.get("title"), str) and not is_named(place)}

    assert titles == {("info",)}


def test_no_schema_has_a_member_of_its_own_name(document: Document) -> None:
    """A Python client would use one variable for the member and for its model."""
    snake = {model: re.sub(r"(?<!^)(?=[A-Z])", "_", model).lower() for model in document["components"]["schemas"]}

    assert [(model, name) for model, name, _ in members(document) if name == snake[model]] == []


def test_members_of_bodies_have_defaults_in_words_alone(document: Document) -> None:
    """A client that sends a schema's default overrides the default of the activity's type."""
    bodies = {
        name: schema for name, schema in document["components"]["schemas"].items() if schema.get("additionalProperties") is False
    }
    described = {
        (model, name)
        for model, schema in bodies.items()
        for name, member in schema["properties"].items()
        if re.search(r"(^| )Default: `[^`]+`\.$", member.get("description", ""))
    }

    assert [(model, name) for model, name, member in members(document) if model in bodies and "default" in member] == []
    assert {("ActivityRequest", "min_group"), ("LinkRequest", "name"), ("WordFilterRequest", "words")} <= described


def test_parameters_of_queries_are_never_null_and_name_their_enumerations_alone(document: Document) -> None:
    """Query parameters without null, and references without siblings.

    Queries cannot hold null. openapi-generator gives a reference with siblings no type.
    """
    queries = [
        parameter
        for path in document["paths"].values()
        for operation in path.values()
        for parameter in operation.get("parameters", ())
        if parameter.get("in") == "query"
    ]

    assert [each for each in queries if "anyOf" in each["schema"] or each["schema"].get("type") == "null"] == []
    assert [each for each in queries if "$ref" in each["schema"] and len(each["schema"]) > 1] == []
    assert {each["name"] for each in queries if "$ref" in each["schema"]} == {"format", "responses", "shape", "status"}
    assert all(each["description"].endswith('Default: `"csv"`.') for each in queries if each["name"] == "format")
