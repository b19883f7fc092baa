import json
from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conflicto.platform.json_contains import contains, parse
from conflicto.platform.strict_json import RESPONSE_LIMITS, compact

# Few and similar values, so that one often contains another.
NUMBERS = st.sampled_from(["0", "-0", "0.0", "1", "1.0", "1e0", "10e-1", "2", "0.1", "0.10000000000000000000001", "1e-400"])
SCALARS = NUMBERS | st.sampled_from(["true", "false", "null", '""', '"a"', '"1"', '"\\u0061"', '"é"'])
TEXTS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda items: f"[{','.join(items)}]")
        | st.dictionaries(st.sampled_from("abc"), inner, max_size=3).map(
            lambda members: "{" + ",".join(f'"{key}":{value}' for key, value in members.items()) + "}"
        )
    ),
    max_leaves=12,
)


@st.composite
def parts(draw: st.DrawFn, whole: object) -> object:
    """Draw a part of `whole`: members and elements dropped, repeated and reordered."""
    if isinstance(whole, dict):
        return {key: draw(parts(value)) for key, value in whole.items() if draw(st.booleans())}
    if isinstance(whole, list) and whole:
        return [draw(parts(item)) for item in draw(st.lists(st.sampled_from(whole), max_size=4))]
    return whole


@st.composite
def related(draw: st.DrawFn) -> tuple[str, str]:
    container = draw(TEXTS)
    return container, json.dumps(draw(parts(json.loads(container))))


@pytest.fixture(scope="module")
def connection(postgres_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield connection


@pytest.mark.no_cover  # as in tests/properties: at full speed
@settings(max_examples=1_500)
@given(pair=st.tuples(TEXTS, TEXTS) | related())
def test_contains_answers_as_postgres_does(connection, pair):
    answer = connection.execute("SELECT %s::jsonb @> %s::jsonb", pair).fetchone()[0]
    assert contains(*map(parse, pair)) == answer


@pytest.mark.parametrize(
    "literal", ["1e-9999", "0e99999", "0.0e-9999", "0." + "0" * 997 + "1", "1e308", "1e-400", "-0", "1." + "1" * 998]
)
def test_number_that_passes_the_gate_fits_jsonb(connection, literal):
    text = compact(literal.encode(), RESPONSE_LIMITS).decode()
    assert connection.execute("SELECT jsonb_typeof(%s::jsonb)", (text,)).fetchone()[0] == "number"
