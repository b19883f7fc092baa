"""Data of pages: where the values of an aggregation are, with their labels."""

import json
from pathlib import Path
from typing import Any

from conflicto.activity_types.loader import load_type
from conflicto.activity_types.model import ActivityType
from conflicto.web.page_data import host_type_data, type_data

ROWS = {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "string"}, "text": {"type": "string"}}}}
OPTIONS = {"in": "/options/*/id", "label": "/text"}


def own_type(tmp_path: Path, response: dict[str, Any], aggregate: dict[str, Any], **more: Any) -> ActivityType:
    folder = tmp_path / "own"
    files = {
        "activity.json": {"type": "own", "version": "1", "title": "Own", "icon": "🙂", "sdk": "1"},
        "config.schema.json": {
            "type": "object",
            "properties": {"options": ROWS, "words": {"type": "array", "items": {"type": "string"}}, "unit": {"type": "string"}},
        },
        "response.schema.json": {"type": "object", "properties": response},
        "aggregate.json": aggregate,
        "examples/one.json": {"config": {}, "responses": [{}]},
    } | more
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    return load_type(folder)


def sources(tmp_path: Path, response: dict[str, Any], aggregate: dict[str, Any]) -> dict[str, Any]:
    return dict(type_data(own_type(tmp_path, response, aggregate), "en")["value_sources"])


def test_names_of_members_and_options_of_elements_have_labels(tmp_path: Path) -> None:
    response = {
        "points": {"type": "object", "propertyNames": {"x-in": "/options/*/id"}, "additionalProperties": {"type": "integer"}},
        "list": {
            "type": "array",
            "items": {"type": "object", "properties": {"id": {"x-in": "/options/*/id"}, "n": {"type": "integer"}}},
        },
    }
    aggregate = {
        "points": {"path": "/points", "op": "amounts", "of": "/options/*/id"},
        "list": {"path": "/list", "op": "amounts", "of": "/options/*/id", "option": "/id", "amount": "/n"},
    }

    assert sources(tmp_path, response, aggregate) == {"points": OPTIONS, "list": OPTIONS}


def test_pairs_have_labels_on_both_sides(tmp_path: Path) -> None:
    names = {"type": "object", "propertyNames": {"x-in": "/options/*/id"}}
    response = {
        "match": names | {"additionalProperties": {"x-in": "/words/*"}},
        "free": names | {"additionalProperties": {"type": "string"}},
        "both": {"type": "array", "items": {"x-in": "/options/*/id"}},
    }
    aggregate = {
        name: {"path": f"/{name}", "op": "pairs", "of": "/options/*/id", **({} if name == "both" else {"with": "/words/*"})}
        for name in response
    }

    assert sources(tmp_path, response, aggregate) == {
        "match": OPTIONS | {"second": {"in": "/words/*", "label": None}}, "free": OPTIONS, "both": OPTIONS,
    }  # fmt: skip


def test_a_result_has_its_chart_title_unit_and_names(tmp_path: Path) -> None:
    response = {
        "size": {"enum": ["s", "l"]},
        "spot": {
            "type": "object",
            "properties": {"o": {"x-in": "/options/*/id"}, "n": {"title": "Number"}},
            "oneOf": [{"properties": {"tag": {"enum": ["x"]}}}],
            "additionalProperties": {"type": "array", "items": {"x-in": "/words/*"}},
            "propertyNames": {"x-in": "/words/*"},
        },
        "weight": {"type": "number"},
        "many": {"enum": list(range(101))},
    }
    aggregate = {
        "sizes": {"path": "/size", "op": "count"},
        "spots": {"path": "/spot", "op": "count"},
        "weights": {"path": "/weight", "op": "number"},
        "many": {"path": "/many", "op": "count"},
    }
    texts = {
        "drawing.json": {"weights": {"chart": "figure", "unit": "/unit"}, "sizes": {"chart": "none"}},
        "i18n/en.json": {"results.sizes": "Sizes", "response.size.s": "Small"},
        "i18n/de.json": {"results.sizes": "Größen", "response.spot.o": "Option"},
    }
    data = host_type_data(own_type(tmp_path, response, aggregate, **texts), "de")

    words = {"in": "/words/*", "label": None}
    spot = {
        "members": {"o": {"title": "Option", "source": OPTIONS}, "n": {"title": "Number"}, "tag": {}},
        "names": words,
        "others": {"items": {"source": words}},
    }
    assert data["drawings"] == {
        "sizes": {"chart": "none", "title": "Größen"},
        "spots": {"shape": spot},
        "weights": {"chart": "figure", "unit": "/unit"},
    }
    assert data["value_sources"] == {"sizes": {"values": [{"value": "s", "text": "Small"}, {"value": "l"}]}}
    assert data["response"] == {"members": {"size": {"texts": {"s": "Small"}}, "spot": spot, "weight": {}, "many": {}}}
