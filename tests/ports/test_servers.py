import psycopg
import pytest
import redis

from tests.support import servers


def test_postgres_answers_and_keeps_databases_apart(postgres_url):
    template = servers.create_database(postgres_url, "servers_template")
    with psycopg.connect(template) as connection:
        connection.execute("CREATE TABLE seen AS SELECT 42 AS answer")

    copy = servers.create_database(postgres_url, "servers_copy", template="servers_template")

    with psycopg.connect(copy) as connection:
        assert connection.execute("SELECT answer FROM seen").fetchone() == (42,)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT to_regclass('seen')").fetchone() == (None,)


def test_postgres_stops_at_the_end_even_with_a_client_connected():
    with servers.postgres(fsync=False) as url, psycopg.connect(url) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("off",)

    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_valkey_answers(valkey_url):
    with redis.Redis.from_url(valkey_url) as client:
        client.set("servers:answer", 42)

        assert client.get("servers:answer") == b"42"


def test_valkey_stops_at_the_end():
    with servers.valkey() as url, redis.Redis.from_url(url) as client:
        assert client.ping()

    with redis.Redis.from_url(url, retry=None) as client, pytest.raises(redis.ConnectionError):
        client.ping()
