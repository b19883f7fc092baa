"""The URL of Redis: one server, or the Sentinels that know it. Invalid URLs are explained."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit
from weakref import proxy

from redis.asyncio import BlockingConnectionPool
from redis.asyncio import Redis as Client
from redis.asyncio.connection import URL_QUERY_ARGUMENT_PARSERS, parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelManagedConnection, SentinelManagedSSLConnection
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collections.abc import Mapping

SENTINEL_SCHEMES = ("redis+sentinel", "rediss+sentinel")
SENTINEL_PORT = 26_379

_PARTS = re.compile(r"\A([^:]*)://([^/?#]*)(.*)", re.DOTALL)
"""Scheme, hosts and the rest. Newer interpreters (3.13.5) cannot split a URL with `[::1]` after
another host."""
SENTINEL_PREFIX = "sentinel_"
"""Prefix of parameters for the Sentinels: `sentinel_username`, `sentinel_password`."""

CONNECT_TIMEOUT_S = 1.0


class RedisUrlInvalid(ValueError):
    """The URL has a part that the client does not support; the text names it, without passwords."""


class SentinelService(NamedTuple):
    """A service that Sentinels monitor.

    It has their addresses, and the arguments of connections to them and to the server.
    """

    hosts: list[tuple[str, int]]
    name: str
    of_sentinels: dict[str, Any]
    of_server: dict[str, Any]


class SentinelPool(BlockingConnectionPool):
    """Connections to the server that the Sentinels name; callers wait for a free one."""

    is_master = True
    check_connection = False

    def __init__(self, service: SentinelService, **arguments: Any) -> None:  # noqa: ANN401 - redis-py's arguments
        is_tls = arguments.pop("ssl", False)
        kind = SentinelManagedSSLConnection if is_tls else SentinelManagedConnection
        super().__init__(connection_class=kind, **arguments)
        self.connection_kwargs["connection_pool"] = proxy(self)
        timeouts = {
            "socket_timeout": CONNECT_TIMEOUT_S,
            "socket_connect_timeout": CONNECT_TIMEOUT_S,
            "retry": Retry(NoBackoff(), 0),
            "ssl": is_tls,
        }
        self._sentinels = Sentinel(service.hosts, sentinel_kwargs=timeouts | service.of_sentinels)  # type: ignore[no-untyped-call]
        self._service = service.name
        self._master: tuple[str, int] | None = None

    async def get_master_address(self) -> tuple[str, int]:
        """Return the server's address; a change closes idle connections to the old one."""
        found: tuple[str, int] = await self._sentinels.discover_master(self._service)
        if self._master is not None and self._master != found:
            await self.disconnect(inuse_connections=False)
        self._master = found
        return found

    async def aclose(self) -> None:
        """Close the connections to the server and to the Sentinels."""
        await super().aclose()
        for client in self._sentinels.sentinels:
            await client.aclose()


def create_pool(url: str, *, max_connections: int, wait_s: float, read_timeout_s: float | None) -> BlockingConnectionPool:
    """Return a pool of `max_connections`; callers wait up to `wait_s` for one.

    Raises:
        RedisUrlInvalid: the URL has a part that the client does not support.
    """
    common: dict[str, Any] = {
        "max_connections": max_connections, "timeout": wait_s,
        "socket_connect_timeout": CONNECT_TIMEOUT_S, "socket_timeout": read_timeout_s,
        "retry": Retry(NoBackoff(), 0), "retry_on_timeout": False, "client_name": "conflicto",
    }  # fmt: skip
    if url.partition("://")[0].lower() in SENTINEL_SCHEMES:
        service = parse_sentinel_url(url)
        return SentinelPool(service, **(common | service.of_server))
    return BlockingConnectionPool.from_url(url, **common)


def parse_sentinel_url(url: str) -> SentinelService:
    """Parse `redis+sentinel://[user:password@]host[:port][,…]/SERVICE[/db][?parameters]`.

    Raises:
        RedisUrlInvalid: it names no service, or a port is not a number.
    """
    scheme, authority, rest = _PARTS.findall(url)[0]
    before, _, hosts = authority.rpartition("@")
    parts = urlsplit(f"{scheme}://hosts{rest}")
    name, _, db = parts.path.strip("/").partition("/")
    if not name:
        message = "names no service. Write redis+sentinel://host:26379/SERVICE, as in `sentinel monitor SERVICE …`"
        raise RedisUrlInvalid(message)
    try:
        split = [urlsplit(f"//{host}") for host in hosts.split(",")]
        addresses = [(each.hostname or "localhost", each.port or SENTINEL_PORT) for each in split]
        options: Mapping[str, Any] = parse_url(f"redis://{before}{'@' if before else ''}localhost/{db}?{parts.query}")
    except ValueError as error:
        raise RedisUrlInvalid(_without_input(error)) from None
    of_server = {
        key: value for key, value in options.items() if not key.startswith(SENTINEL_PREFIX) and key not in {"host", "port"}
    }
    of_sentinels = {key.removeprefix(SENTINEL_PREFIX): value for key, value in options.items() if key.startswith(SENTINEL_PREFIX)}
    return SentinelService(addresses, name, of_sentinels, of_server | {"ssl": parts.scheme.startswith("rediss")})


def require_usable(url: str) -> None:
    """Refuse a URL that cannot make a connection, before any attempt.

    Raises:
        RedisUrlInvalid: the text gives the reason.
    """
    path = urlsplit(url).path.strip("/") if url.startswith(("redis://", "rediss://")) else ""
    if path and not path.isdecimal():
        message = "names a database that is not a number. Write redis://host:6379/0, and @ : / ? # in a password as %40 and so on"
        raise RedisUrlInvalid(message)
    try:
        create_pool(url, max_connections=1, wait_s=CONNECT_TIMEOUT_S, read_timeout_s=CONNECT_TIMEOUT_S).make_connection()  # type: ignore[no-untyped-call]
    except RedisUrlInvalid:
        raise
    except TypeError as error:
        unknown = [name for name, _ in parse_qsl(url.partition("?")[2]) if f"'{name}'" in str(error)]
        known = ", ".join(sorted({*URL_QUERY_ARGUMENT_PARSERS, "client_name", "protocol"}))
        message = (
            f"has the parameter `{unknown[0] if unknown else '?'}`, which the client does not support. Remove it; allowed: {known}"
        )
        raise RedisUrlInvalid(message) from error
    except ValueError as error:
        raise RedisUrlInvalid(_without_input(error)) from None
    except RedisError as error:  # not an error of a server: no connection was opened
        raise RedisUrlInvalid(f"cannot be used: {error}") from error


def _without_input(error: ValueError) -> str:
    """Return a sentence for a URL that cannot be split.

    The original error may quote a part of a password with `/`, `?` or `#` in it.
    """
    if "Port" in str(error) or "IPv6" in str(error):
        return "has a host or a port that cannot be read. Write redis://host:6379/0, and @ : / ? # in a password as %40 and so on"
    return str(error)


async def server_mode(url: str) -> str | None:
    """Return the mode of a server: `standalone`, `sentinel` or `cluster`, None if unknown."""
    connections = create_pool(url, max_connections=1, wait_s=CONNECT_TIMEOUT_S, read_timeout_s=CONNECT_TIMEOUT_S)
    try:
        async with asyncio.timeout(2 * CONNECT_TIMEOUT_S):
            info = await Client(connection_pool=connections).info("server")
        return str(info.get("redis_mode") or info.get("server_mode") or "") or None
    except Exception:  # noqa: BLE001 - it may be down, or not disclose its mode
        return None
    finally:
        await connections.aclose()
