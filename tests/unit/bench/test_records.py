import pytest

from bench.capacity import capacity as capacity_of
from bench.growth import powers_of_ten
from bench.histogram import Percentiles
from bench.load_run import RunResult
from bench.records import BEGIN, CAPACITY, END, capacity, figures, with_capacity
from bench.report import Row, Section, Series, paired_ratios
from bench.soak import slope_per_minute

FACTS = {"Date": "2026-11-25T01:00:00Z", "Machine": "A machine, 2 cores"}


def section(*rows: Row) -> Section:
    return Section("Polls", "About them.", rows)


def visit(transport: str, people: int, *, errors: dict[str, int] | None = None) -> RunResult:
    figures = Percentiles(100, 1.0, 20.0, 30.0, 40.0)
    return RunResult(transport, people, figures, figures, figures, figures, figures, errors or {}, 0.5, 0.2, 90, 100 + people / 100)


def test_figures_hold_every_row_by_its_key_and_ratios_pair_run_with_run() -> None:
    row = Row(
        "poll (251 B)",
        Series([30, 20, 10], "/s"),
        ratio=paired_ratios([30, 20, 10], [10, 10, 10]),
        goal="≥ 1",
        met=True,
        key="poll",
    )

    rows = figures(FACTS, [section(row, Row("Memory, at the end", Series([90.123456], "MiB")))])["rows"]

    assert rows["poll"] == {"measure": "poll (251 B)", "median": 20, "unit": "/s", "n": 3, "ratio": 2.0, "goal": "≥ 1", "met": True}
    assert rows["memory-at-the-end"] == {"measure": "Memory, at the end", "median": 90.12, "unit": "MiB", "n": 1}


def test_two_rows_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="same name"):
        figures(FACTS, [section(Row("poll", Series([1])), Row("Poll!", Series([2])))])


def test_the_capacity_table_replaces_only_the_text_between_the_markers() -> None:
    page = f"before\n{BEGIN}old\n{END}\nafter\n"

    once = with_capacity(page, "new\n")

    assert once == f"before\n{BEGIN}new\n{END}\nafter\n"
    assert with_capacity(once, "new\n") == once


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="markers"):
        with_capacity(f"before\n{BEGIN}no end", "new")


def test_docs_capacity_has_the_markers() -> None:
    lines = capacity_of(
        [visit(transport, people) for transport in ("poll", "long-poll", "stream") for people in (50, 500, 5_000, 20_000)]
    )
    page = with_capacity(CAPACITY.read_text(encoding="utf-8"), capacity(FACTS, lines))

    assert page.startswith("# Capacity\n")
    assert "| 20,000 | " in page


def test_the_capacity_table_has_a_line_for_each_size_and_columns_for_each_transport() -> None:
    columns, *lines = capacity_of([visit("poll", 50), visit("poll", 500), visit("stream", 500, errors={"lost": 1_200})])

    assert columns[-2:] == ["stream: news reaches p50 / p99", "stream: server memory"]
    assert [len(line) for line in lines] == [len(columns), len(columns)]
    assert lines[0] == ["50", "1.00 / 20.0 ms", "50%", "1.00 / 20.0 ms", "100 MiB", "", ""]
    assert lines[1][-2:] == ["1.00 / 20.0 ms; 1,200 errors", "105 MiB"]


@pytest.mark.parametrize(
    ("rows", "sizes"),
    [(1_000_000, [100, 1_000, 10_000, 100_000, 1_000_000]), (30_000, [100, 1_000, 10_000, 30_000]), (1_000, [100, 1_000])],
)
def test_the_ladder_goes_by_powers_of_ten_to_the_largest(rows: int, sizes: list[int]) -> None:
    assert powers_of_ten(rows) == sizes


def test_the_slope_is_in_mib_for_each_minute() -> None:
    assert slope_per_minute([(at, 90 + at / 30) for at in range(60)]) == pytest.approx(2.0)
    assert slope_per_minute([(at, 90.0) for at in range(60)]) == 0
