import json
from typing import Any

import pytest

from bench.client import BenchmarkError
from bench.wrk import MARK, read, script

GOOD = {"count": 1_000, "took_us": 2_000_000, "bytes": 250_600, "refused": 0, "lost": 0, "p99_us": 4_200}


def output_with(**changes: Any) -> str:
    return f"Running 2s test\n\n{MARK}{json.dumps(GOOD | changes)}\n"


def test_rate_and_percentile_are_read() -> None:
    polled = read(output_with(), answer_bytes=250, cpu_s=0.5)

    assert (polled.count, polled.rate, polled.p99_ms, polled.client_share) == (1_000, 500, 4.2, 0.25)


@pytest.mark.parametrize("changes", [{"refused": 1}, {"lost": 1}, {"bytes": 120_000}, {"bytes": 400_000}, {"count": 0}])
def test_a_wrong_status_a_lost_connection_or_another_size_is_no_figure(changes: dict[str, int]) -> None:
    with pytest.raises(BenchmarkError):
        read(output_with(**changes), answer_bytes=250, cpu_s=0.5)


def test_requests_are_quoted_for_lua() -> None:
    assert '"GET / HTTP/1.1\\r\\nif-none-match: \\"a\\\\b\\"\\r\\n\\r\\n"' in script(
        [b'GET / HTTP/1.1\r\nif-none-match: "a\\b"\r\n\r\n']
    )
