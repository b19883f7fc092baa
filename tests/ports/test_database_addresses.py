"""DATABASE_URL as operators write it: libpq's forms work, errors are explained in one sentence."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import psycopg
import pytest
from psycopg import sql

from conflicto.cli import environment as environment_module
from conflicto.cli.database_wait import DatabaseUnreachable
from tests.support import databases
from tests.support.patience import PATIENCE_S
from tests.support.pgbouncer import past_pooler
from tests.support.ports import free_port
from tests.support.processes import PLAIN, environment, run, run_apart, served, starting, wait_for
from tests.support.servers import postgres_cluster


@pytest.fixture
def empty(postgres_url: str) -> Iterator[str]:
    with databases.postgres_copy(postgres_url, empty=True) as url:
        yield url


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Raise at once the error for which a start would wait."""

    def refuse(attempt: Callable[[], None]) -> None:
        with pytest.raises(DatabaseUnreachable) as waited:
            attempt()
        raise AssertionError(str(waited.value))

    monkeypatch.setattr(environment_module, "retry_until_reachable", refuse)


def upgraded(url: str, folder: Path) -> tuple[int, str]:
    """Return the exit code of `conflicto db upgrade` and its message."""
    done = run("db", "upgrade", env=environment(folder, DATABASE_URL=url))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stderr


def changed(url: str, **parts: str) -> str:
    """Return a URL with another user, password, host or path."""
    found = urlsplit(url)
    user, password = parts.get("user", found.username), parts.get("password", found.password)
    netloc = f"{user}:{password}@{parts.get('hosts', f'{found.hostname}:{found.port}')}"
    return found._replace(netloc=netloc, path=parts.get("path", found.path)).geturl()


REFUSED = {
    "password": (lambda url: changed(url, password="no-such-word"), "password authentication failed"),
    "user": (lambda url: changed(url, user="nobody-here"), "Check user and password"),
    "database": (lambda url: changed(url, path="/not_there"), "createdb --encoding UTF8 NAME"),
    "TLS": (lambda url: f"{url}?sslmode=require", "sslmode"),
    "certificate": (lambda url: f"{url}?sslmode=verify-full&sslrootcert=/nowhere", "sslrootcert"),
    "unknown parameter": (lambda url: f"{url}?pool_size=5", 'invalid URI query parameter: "pool_size"'),
    "port": (lambda url: changed(url, hosts="127.0.0.1:many"), "invalid"),
    "channel binding": (lambda url: f"{url}?channel_binding=bogus", "invalid channel_binding value"),
    "balance": (lambda url: f"{url}?load_balance_hosts=zz", "invalid load_balance_hosts value"),
    "numeric address": (lambda url: f"{url}?hostaddr=abc", "could not parse network address"),
    "service": (lambda url: f"{url}?service=not_there", "not_there"),
    "timeout": (lambda url: f"{url}?connect_timeout=soon", "`connect_timeout` that is not a number"),
    "bracket": (lambda url: changed(url, hosts="[::1"), "cannot be read"),
    "percent": (lambda url: url.replace("@", "%zz@", 1), "cannot be read"),
    "standby": (lambda url: f"{url}?target_session_attrs=standby", "Leave `target_session_attrs` out"),
    "any": (lambda url: f"{url}?target_session_attrs=any", "Leave `target_session_attrs` out"),
    "options": (lambda url: f"{url}?options=-cwork_mem", "Write -c name=value"),
    "no such setting": (lambda url: f"{url}?options=-cno_such_thing%3D1", "no_such_thing"),
    "mysql": (lambda url: url.replace("postgresql://", "mysql://"), "DATABASE_URL begins with `mysql`"),
    "psycopg2": (lambda url: url.replace("postgresql://", "postgresql+psycopg2://"), "postgresql://user:password@host/name"),
    "nothing": (lambda _: "conflicto", "postgresql://user:password@host/name"),
    "sqlite with parameters": (lambda _: "sqlite:///x.sqlite3?mode=ro", "without parameters"),
    "sqlite with a host": (lambda _: "sqlite://x.sqlite3", "`sqlite:///path`"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_unusable_database_is_reported_in_one_sentence(empty: str, tmp_path: Path, name: str) -> None:
    spoilt, message = REFUSED[name]
    code, output = upgraded(spoilt(empty), tmp_path)

    assert code == 3
    assert message in output
    assert output.count("\n") == 1
    assert urlsplit(empty).password not in output
    assert "Idempotency" not in output


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_database_of_another_encoding_is_refused(postgres_url: str, tmp_path: Path, encoding: str) -> None:
    name = f"other_{encoding.lower()}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        made = "CREATE DATABASE {} ENCODING {} TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
        connection.execute(sql.SQL(made).format(sql.Identifier(name), sql.Literal(encoding)))
        try:
            code, output = upgraded(changed(postgres_url, path=f"/{name}"), tmp_path)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
    assert (code, output.count("\n")) == (3, 1)
    assert f"its encoding is {encoding}. Create it again: createdb --encoding UTF8" in output


@pytest.fixture
def guest(postgres_url: str) -> Iterator[str]:
    """A user without tables who may open three connections."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS guest")
        connection.execute("CREATE ROLE guest LOGIN PASSWORD 'secret' CONNECTION LIMIT 3")
        yield "guest"


def test_user_without_rights_is_refused(empty: str, guest: str, tmp_path: Path) -> None:
    code, output = upgraded(changed(empty, user=guest, password="secret"), tmp_path)
    assert (code, output.count("\n")) == (3, 1)
    assert "permission denied for schema public" in output
    assert "GRANT CREATE, USAGE ON SCHEMA public" in output


def test_database_that_takes_no_writes_is_refused(empty: str, tmp_path: Path) -> None:
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(sql.Identifier(urlsplit(empty).path[1:]))
        )
    code, output = upgraded(empty, tmp_path)
    assert (code, output.count("\n")) == (3, 1)
    assert "takes no writes" in output


def test_schema_that_is_not_there_is_refused_and_one_that_is_holds_the_tables(empty: str, tmp_path: Path) -> None:
    url = f"{empty}?options=-csearch_path%3Dapart"
    code, output = upgraded(url, tmp_path)
    assert (code, output.count("\n")) == (3, 1)
    assert "CREATE SCHEMA NAME" in output
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA apart")
        assert upgraded(url, tmp_path)[0] == 0
        found = connection.execute("SELECT DISTINCT schemaname FROM pg_tables WHERE tablename IN ('sessions', 'alembic_version')")
        assert found.fetchall() == [("apart",)]


def test_hosts_of_which_one_is_away_and_parameters_of_libpq_work(empty: str, tmp_path: Path) -> None:
    found = urlsplit(empty)
    hosts = f"127.0.0.1:{free_port()},{found.hostname}:{found.port}"
    for parameters in ("?target_session_attrs=read-write&connect_timeout=5", "?sslmode=prefer&application_name=ours"):
        assert upgraded(changed(empty, hosts=hosts) + parameters, tmp_path)[0] == 0


def test_limit_of_a_role_bounds_the_pool(postgres_database: str, postgres_url: str, guest: str, tmp_path: Path) -> None:
    url = changed(past_pooler(postgres_database, postgres_url), user=guest, password="secret")
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO guest")
        with served(tmp_path / "server", DATABASE_URL=url) as server:
            assert server.call("POST", "/sessions", {"title": "Town hall"})["title"] == "Town hall"
            assert "conflicto_pool_limit 2.0" in server.text("/metrics")
            output = " ".join(server.log.read_text().split())
            assert "the role's CONNECTION LIMIT allows 3 in all" in output
            assert "lowered to DATABASE_POOL_SIZE 2, DATABASE_MAX_OVERFLOW 0" in output

        connection.execute("ALTER ROLE guest CONNECTION LIMIT 2")
        done = run_apart("serve", "--port", str(free_port()), env=environment(tmp_path, DATABASE_URL=url))
    assert done.returncode == 3
    assert "At least 3 are needed: raise the role's CONNECTION LIMIT" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_start_waits_for_a_database_that_is_down_and_reports_it(tmp_path: Path) -> None:
    with postgres_cluster(fsync=False) as cluster:
        cluster.stop()
        with starting(tmp_path / "server", DATABASE_URL=cluster.url) as server:
            deadline = time.monotonic() + PATIENCE_S
            while (health := live(server.url)) is None:
                assert time.monotonic() < deadline
            assert health == {"status": "live", "waiting_for": "database"}
            answer = httpx2.get(f"{server.url}/api/v1/sessions", **PLAIN)
            assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "unavailable", "2")
            assert httpx2.head(f"{server.url}/health/live", **PLAIN).content == b""
            assert server.process.poll() is None
            cluster.start(cluster.port)
            assert cluster.answers()
            server.process.wait(PATIENCE_S)
            assert "conflicto db upgrade" in server.log.read_text(), "the schema is missing, which the operator must fix"
            assert server.log.read_text().count("waiting-for-database") == 1
        assert run("db", "upgrade", env=environment(tmp_path, DATABASE_URL=cluster.url)).exit_code == 0
        cluster.stop()
        with starting(tmp_path / "again", DATABASE_URL=cluster.url) as again:
            while live(again.url) is None:
                assert time.monotonic() < deadline + PATIENCE_S
            cluster.start(cluster.port)
            wait_for(again)


def live(url: str) -> object:
    try:
        return httpx2.get(f"{url}/health/live", timeout=PATIENCE_S, **PLAIN).json()
    except httpx2.HTTPError:
        time.sleep(0.05)
        return None
