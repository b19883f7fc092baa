"""Ten times the capacity of commits: accepted responses commit soon, the rest is refused at once.

A commit takes a tenth of a second and few responses. Ten times the server's capacity is then still
little work for the client and for the processors that both share.
"""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles

import psycopg
import pytest

from tests.support.crowd import Crowd, gather
from tests.support.fuzzing.wires import resident_mib
from tests.support.open_loop import Sender, TimedAnswer
from tests.support.processes import Served, served

PROGRAM = ("-c", "from conflicto.platform.db import writer; writer.MAX_GROUP_COMMANDS = 16; import conflicto.__main__")
SLOW_COMMIT = """
    CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.1); RETURN NULL; END';
    CREATE TRIGGER be_slow AFTER UPDATE ON feed_heads FOR EACH STATEMENT EXECUTE FUNCTION be_slow();
"""
SEATS = 64
SECONDS = 5.0
SHARE_OF_PEAK = 0.8
SHED_S = 0.05
"""Time in which half of the refusals arrive, even while other tests use the processors."""
TAKEN_S = 2.0 + 1.0
"""Time in which 99 % of the accepted responses are acknowledged, with headroom for a busy
machine."""
HOST_S = 2.0 + 1.0
MORE_MIB = 256.0
CALM_S = 4.0
"""Time observed after the flood; in its second half every response must be accepted."""


async def seats(crowd: Crowd, sender: Sender, code: str) -> list[str]:
    """Join with many participants at once."""
    path = f"/api/v1/sessions/{crowd.session_id}/join"
    joined = await asyncio.gather(*(sender.post(path, {"nickname": f"Phone N{number}", "code": code}) for number in range(SEATS)))
    return [json.loads(body)["participant_token"] for _, _, body in joined]


async def rush(
    server: Served, crowd: Crowd, code: str, make_slow: Callable[[], None]
) -> tuple[float, list[TimedAnswer], list[TimedAnswer], float]:
    """Return the peak in responses per second and the host's wait.

    Also returns the outcomes at ten times the peak and at half of it.
    """
    sender = Sender(int(server.url.rpartition(":")[2]))
    tokens = await seats(crowd, sender, code)
    make_slow()
    path = f"/api/v1{crowd.path}/responses"
    peak = await sender.closed(2.5, path, tokens)
    host = asyncio.create_task(host_waits(sender, crowd))
    flood = await sender.at_rate(10 * peak, SECONDS, path, tokens)
    waited_s = await host
    after = await sender.at_rate(peak / 2, CALM_S, path, tokens)
    sender.close()
    return peak, flood, after, waited_s


async def host_waits(sender: Sender, crowd: Crowd) -> float:
    """Return the duration of the host's own command during the flood."""
    await asyncio.sleep(SECONDS / 2)
    began = asyncio.get_running_loop().time()
    status, _, body = await sender.post(f"/api/v1/sessions/{crowd.session_id}/overlay", {"overlay": "black"}, crowd.host)
    assert status == 200, body
    return asyncio.get_running_loop().time() - began


@pytest.mark.catalogue("O-01")
def test_ten_times_too_much_is_refused_soon_and_the_rest_is_taken_soon(
    postgres_database: str, tmp_path: Path, counted: Callable[[str], None]
) -> None:
    def make_slow() -> None:
        with psycopg.connect(postgres_database, autocommit=True) as connection:
            connection.execute(SLOW_COMMIT)

    with served(tmp_path, program=PROGRAM, DATABASE_URL=postgres_database) as server:
        crowd = gather(server)
        code = server.call("GET", f"/sessions/{crowd.session_id}", token=crowd.host)["join_code"]
        before_mib = resident_mib(server.process.pid)
        peak, flood, after, host_s = asyncio.run(rush(server, crowd, code, make_slow))
        grown_mib = resident_mib(server.process.pid) - before_mib
        assert sum(each.status == 201 for each in (*flood, *after)) <= len(crowd.stored(server))

    taken = [each.took_s for each in flood if each.status == 201]
    shed = [each for each in flood if each.status == 503]
    goodput, shed_s = len(taken) / SECONDS, quantiles((each.took_s for each in shed), n=100)
    taken_s = quantiles(taken, n=100)
    counted(
        f"overload: peak {peak:.0f}/s; at {len(flood) / SECONDS:.0f}/s {goodput:.0f}/s taken, p99 {taken_s[98]:.2f} s; shed p50"
        f" {shed_s[49] * 1000:.0f} ms, p99 {shed_s[98] * 1000:.0f} ms; host {host_s:.2f} s; memory +{grown_mib:.0f} MiB"
    )
    assert len(taken) + len(shed) == len(flood)
    assert all(each.retry_after for each in shed)
    assert goodput >= SHARE_OF_PEAK * peak
    assert taken_s[98] <= TAKEN_S
    assert shed_s[49] <= SHED_S
    assert host_s <= HOST_S
    assert grown_mib <= MORE_MIB
    assert {each.status for each in after if each.due_s > CALM_S / 2} == {201}
