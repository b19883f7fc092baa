"""Write the pages of settings, errors, metrics and limits from the program itself, so that they cannot say anything else (`make docs`)."""

from __future__ import annotations

import sys
import tempfile
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from conflicto import migrations
from conflicto.access.roles import MEMBERS
from conflicto.app import App
from conflicto.exports.folder import MAX_FILES, MAX_FILES_PER_SESSION, MAX_FOLDER_BYTES, MAX_JOB_LIFE_S
from conflicto.exports.http import MAX_DIRECT_S
from conflicto.exports.sink import MAX_FILE_BYTES
from conflicto.exports.writing import LONGEST_S
from conflicto.platform.http.front_door import WITH_BODY
from conflicto.platform.http.problem_response import STATUS
from conflicto.platform.http.server.eviction import PRESSURE
from conflicto.platform.limits.bucket import LimitScope, Policy
from conflicto.platform.limits.limiter import REPLAYS
from conflicto.platform.metrics.names import TABLE, Metric, Together
from conflicto.platform.problems import DomainError, registry
from conflicto.settings import Settings

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

DOCS = Path(__file__).parents[1] / "docs"
MADE = "<!-- Made by `make docs`; do not edit. -->"

SETTINGS = f"""{MADE}
# Settings

Conflicto is set up by environment variables and by nothing else. A variable that is empty counts as missing. A value that cannot
be used ends the start with exit code 3 and the name of the variable, never its value. A variable that begins with `CONFLICTO_`
and is not in this list is reported at the start, because it is most often a misspelt one.

| Variable | Default | Meaning |
|---|---|---|
"""

ERRORS = f"""{MADE}
# Errors

Every error is a problem document (RFC 9457, `application/problem+json`). Branch on `code`; the texts are for people and may
change. [The API guide](api.md#errors) says what the members mean.

| Code | Status | Title |
|---|---|---|
"""

METRICS = f"""{MADE}
# Metrics

`GET /metrics` answers Prometheus, with `CONFLICTO_METRICS_TOKEN`, or the admin token, as its bearer token.
With several workers, whichever is asked answers for all
of this machine ([0024](decisions/0024-one-page-of-metrics-for-all-workers.md)): counters and histograms are added and never fall
while one `conflicto serve` runs, gauges are added unless the table says otherwise; what other workers count is at most 2 s old.
Routes are templates, so the number of series has a bound. [Operations](operations.md) says what to watch.

| Metric | Kind | Labels | Meaning |
|---|---|---|---|
"""


def metrics_page() -> str:
    """Return docs/metrics.md."""
    return METRICS + "\n".join(map(_metric, TABLE)) + "\n"


def _metric(metric: Metric) -> str:
    labels = ", ".join(f"`{name}`" for name in metric.labels) or "–"
    of_workers = f" Of several workers: the {metric.together}." if metric.together is not Together.SUM else ""
    return f"| `{metric.name}` | {metric.kind} | {labels} | {metric.meaning}{of_workers} |"


LIMITS = f"""{MADE}
# Rate limits

Every route declares a policy, and a call spends one request from the policy's bucket of its token; calls without a token spend from one
bucket of the whole server, if they succeed. A bucket holds as many requests as its policy allows in its window, in a burst if need be,
and fills evenly.
Nobody is counted by address, save for wrong codes and wrong seat links: a lecture hall is one address.
Who sends the `Link-Key` of the code, or a code that let somebody in from the same address within the last day, is not counted at all.

`RateLimit-Policy` names the policy of an answer, except of pages. An empty bucket is 429 with `Retry-After` and `RateLimit`
(draft-ietf-httpapi-ratelimit-headers). A request that repeats one which was answered, with its `Idempotency-Key`, is not refused by
a limit, unless it does so more often than the policy `replays` says.

*Shared*: with `REDIS_URL`, all workers spend from one bucket. Polls are not shared: a connection stays with its worker, and no poll waits
for Redis. While Redis does not answer, each worker keeps the limits alone; where *alone* gives a number, it is held to that many then.
Without Redis, every worker counts for itself; of `join-code-failures-total` each worker of one start then has an equal part.
`CONFLICTO_RATE_LIMITS=off` turns all of them off.

| Policy | Requests | In | For each | Shared | Alone |
|---|---|---|---|---|---|
"""

CONNECTIONS = """
## Connections

A process holds `CONFLICTO_MAX_CONNECTIONS` connections; beyond that a newcomer gets 503 `too-many-connections`. Once more than
{pressure:.0%} of these places are taken, connections that wait for their client and on which no valid token was shown make room:
those of the network that holds most of them first (an IPv4 address, or the /64 of an IPv6 address), the oldest first. So no address
can keep others out by holding connections open. A connection on which a valid token was shown is never closed for this, however
many come from its address: a lecture hall is one address. Connections of `CONFLICTO_TRUSTED_PROXIES` are not counted and not
closed, because each carries many people; the proxy limits addresses itself, and `deploy/nginx` does so at 20,000 connections for
each (`limit_conn`). `conflicto_connections_evicted_total` counts what was closed.
"""

EXPORTS = """
## Exports

A process writes one export at a time, for at most {longest:.0f} minutes. A file that is not whole after {direct} s becomes a job, and its
caller gets 202 with the job's address. Files of jobs wait in `CONFLICTO_EXPORT_DIR` for {life:.0f} minutes. At most {files} of them wait,
{each} of one session, {folder:.0f} GiB in all; beyond that the oldest are removed. One file has at most {file:.0f} GiB;
`conflicto export` writes larger ones.
"""


def settings_page() -> str:
    """Return docs/settings.md."""
    rows = [
        f"| `{field.alias}` | {_default(field)} | {field.description}{_bounds(field)} |" for field in Settings.model_fields.values()
    ]
    return SETTINGS + "\n".join(rows) + "\n"


def _default(field: FieldInfo) -> str:
    value = field.default
    if isinstance(value, bool):
        return "`on`" if value else "`off`"
    if value in ("", None, (), PydanticUndefined) or isinstance(value, SecretStr):
        return "none"
    return f"`{value}`"


def _bounds(field: FieldInfo) -> str:
    low = next((each.ge for each in field.metadata if hasattr(each, "ge")), None)
    high = next((each.le for each in field.metadata if hasattr(each, "le")), None)
    if low is None:
        return ""
    return f" At least {low}." if high is None else f" From {low} to {high}."


def errors_page(app: App) -> str:
    """Return docs/errors.md."""
    known = [error for error in registry().values() if error.__module__.startswith("conflicto.")]
    known.sort(key=lambda error: (STATUS[error.kind], error.code))
    table = "\n".join(f"| [`{error.code}`](#{error.code}) | {STATUS[error.kind]} | {error.title} |" for error in known)
    return ERRORS + table + "\n" + "".join(_section(app, error) for error in known)


def _section(app: App, error: type[DomainError]) -> str:
    explained = " ".join(cleandoc(error.__doc__ or "").split("\n\n")[0].split())
    declaring = {name for name, problems in app.control.problems.items() if any(error in some for some in problems.values())}
    where = _where(app, declaring)
    return f"\n## {error.code}\n\n**{error.title}** ({STATUS[error.kind]}). {explained}\n\n{where}\n"


def _where(app: App, declaring: set[str]) -> str:
    if not declaring:
        return "Answered by no route: the door says it before one is found."
    groups = {
        "every route": {route.name for route in app.routes},
        "every route that takes a token": {route.name for route in app.routes if route.who},
        "every route with a token that not every role may call": {
            route.name for route in app.routes if route.who and route.who != MEMBERS
        },
        "every route with an id or a code in its path": {route.name for route in app.routes if "{" in route.path},
        "every route that takes a body": {route.name for route in app.routes if route.body},
        "every route that changes something": {route.name for route in app.routes if route.method in WITH_BODY},
    }
    whole = max((label for label in groups if groups[label] <= declaring), key=lambda label: len(groups[label]), default=None)
    rest = [f"`{route.name}`" for route in app.routes if route.name in declaring - groups.get(whole or "", set())]
    return "Answered by " + ", ".join(([whole] if whole else []) + rest) + "."


def limits_page(app: App) -> str:
    """Return docs/limits.md."""
    spent: dict[Policy, list[str]] = {}
    routes = [*app.routes, *app.page_routes]
    free = [f"`{route.name}`" for route in routes if not route.who and route.policy.scope is LimitScope.TOKEN]
    for route in routes:
        if f"`{route.name}`" not in free:
            spent.setdefault(route.policy, []).append(f"`{route.name}`")
        for policy in route.guesses:
            spent.setdefault(policy, []).append(f"wrong guesses at `{route.name}`")
    spent[REPLAYS] = [f"repetitions of `{route.name}` beyond its limit" for route in app.routes if route.replays]
    policies = sorted(spent, key=lambda policy: policy.name)
    table = "\n".join(_limit_row(policy) for policy in policies)
    lists = "".join(f"\n* `{policy.name}`: {', '.join(spent[policy])}" for policy in policies)
    rest = CONNECTIONS.format(pressure=PRESSURE) + _exports()
    return f"{LIMITS}{table}\n\n## Who spends what\n{lists}\n* nothing: {', '.join(free)}\n{rest}"


def _exports() -> str:
    minutes, gib = 60, 1024**3
    return EXPORTS.format(
        longest=LONGEST_S / minutes, direct=MAX_DIRECT_S, life=MAX_JOB_LIFE_S / minutes, files=MAX_FILES,
        each=MAX_FILES_PER_SESSION, folder=MAX_FOLDER_BYTES / gib, file=MAX_FILE_BYTES / gib,
    )  # fmt: skip


def _limit_row(policy: Policy) -> str:
    shared, alone = ("yes", f"{policy.fallback_quota or policy.quota:,}") if policy.shared else ("no", "")
    return f"| `{policy.name}` | {policy.quota:,} | {policy.window_s} s | {policy.scope} | {shared} | {alone} |"


def pages() -> dict[Path, str]:
    """Return every generated page by its path."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/docs.sqlite3"
        migrations.upgrade(url)
        app = App(Settings.model_validate({"DATABASE_URL": url, "CONFLICTO_DATA_DIR": folder}))
        made = {DOCS / "settings.md": settings_page(), DOCS / "errors.md": errors_page(app), DOCS / "metrics.md": metrics_page()}
        made[DOCS / "limits.md"] = limits_page(app)
        app.db.close()
    return made


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.name}\n")
