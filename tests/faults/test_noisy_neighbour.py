"""One session gets ten times its capacity: other sessions on the server notice nothing.

The commit is slow and the group small, as in `test_overload.py`. The test then measures fairness
and not the processors.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

import psycopg
import pytest

from tests.support.crowd import Crowd, gather
from tests.support.open_loop import Sender, TimedAnswer
from tests.support.processes import served

PROGRAM = ("-c", "from conflicto.platform.db import writer; writer.MAX_GROUP_COMMANDS = 16; import conflicto.__main__")
SLOW_COMMIT = """
    CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF current_setting('test.slept', true) IS DISTINCT FROM txid_current()::text THEN
            PERFORM set_config('test.slept', txid_current()::text, true), pg_sleep(0.1);
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER be_slow AFTER UPDATE ON feed_heads FOR EACH STATEMENT EXECUTE FUNCTION be_slow();
"""
"""A trigger that runs once per transaction, for any number of sessions."""

NEIGHBOURS = 4
EACH_PER_S = 1.0
ALONE_S = 4.0
FLOOD_S = 5.0
FLOOD_PER_S = 1_600.0
"""Ten times the capacity of groups of 16 with commits of a tenth of a second."""
COMMIT_S = 0.1
HEADROOM_S = 0.15


async def neighbours(sender: Sender, crowds: list[Crowd], seconds: float) -> list[TimedAnswer]:
    """Send responses from each neighbour's phones now and then; return all replies."""
    outcomes = await asyncio.gather(
        *(sender.at_rate(EACH_PER_S, seconds, f"/api/v1{crowd.path}/responses", crowd.tokens) for crowd in crowds)
    )
    return [each for of_one in outcomes for each in of_one]


async def beside(port: int, noisy: Crowd, quiet: list[Crowd]) -> tuple[list[TimedAnswer], list[TimedAnswer], list[TimedAnswer]]:
    """Return the neighbours' responses alone and beside a flood, and the flood's own."""
    sender = Sender(port)
    alone = await neighbours(sender, quiet, ALONE_S)
    flood = asyncio.create_task(sender.at_rate(FLOOD_PER_S, FLOOD_S, f"/api/v1{noisy.path}/responses", noisy.tokens))
    await asyncio.sleep(FLOOD_S - ALONE_S)
    during = await neighbours(sender, quiet, ALONE_S)
    flooded = await flood
    sender.close()
    return alone, during, flooded


@pytest.mark.catalogue("O-07")
def test_who_floods_one_session_hurts_no_other(postgres_database: str, tmp_path: Path, counted: Callable[[str], None]) -> None:
    with served(tmp_path, program=PROGRAM, DATABASE_URL=postgres_database) as server:
        noisy, *quiet = [gather(server) for _ in range(1 + NEIGHBOURS)]
        with psycopg.connect(postgres_database, autocommit=True) as connection:
            connection.execute(SLOW_COMMIT)
        alone, during, flooded = asyncio.run(beside(int(server.url.rpartition(":")[2]), noisy, quiet))

    assert {each.status for each in (*alone, *during)} == {201}
    assert {each.status for each in flooded} == {201, 503}
    usual_s, beside_s = (median(each.took_s for each in outcomes) for outcomes in (alone, during))
    slow_s = quantiles((each.took_s for each in during), n=10)[8]
    counted(
        f"noisy neighbour: answers in other sessions took {usual_s:.2f} s without and {beside_s:.2f} s beside"
        f" {FLOOD_PER_S:.0f} a second in one, nine of ten at most {slow_s:.2f} s"
    )
    assert slow_s <= usual_s + COMMIT_S + HEADROOM_S, "only the running commit is ahead of them"
