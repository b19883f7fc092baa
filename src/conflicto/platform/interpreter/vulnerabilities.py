"""Published faults of CPython that a server can meet, and whether this program is exposed to them.

The table is kept by hand from the advisories of the Python Software Foundation and CPython's changelogs. It holds what a client can
reach in a server: parsers of requests and text, addresses, sockets. `conflicto doctor`, the log of a start, a metric and `make audit`
tell what it says of the interpreter that runs; public readiness does not, because it would tell strangers where to begin.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import structlog

CHECKED_ON = "2026-11-29"
"""The day on which the advisories were read last."""

Version = tuple[int, int, int]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """One fault. `fixed`: the first good version of each affected series, the oldest first.

    Series after the last of them are not affected, nor are versions before `since`.
    `guard` says why this program is not exposed although the interpreter has the fault; empty: it is exposed.
    """

    cve: str
    title: str
    fixed: tuple[Version, ...]
    mitigation: str
    source: str
    since: Version = (3, 0, 0)

    def affects(self, version: Version) -> bool:
        """Return whether an interpreter of this version has the fault."""
        if version < self.since or version >= self.fixed[-1]:
            return False
        return not any(fixed[:2] == version[:2] and version >= fixed for fixed in self.fixed)


VULNERABILITIES = (
    Vulnerability(
        "CVE-2026-3276", "Normalising long runs of combining characters takes quadratic time.",
        ((3, 11, 16), (3, 12, 14), (3, 13, 14), (3, 14, 6)),
        "Long runs are sorted before they are normalised (platform/normalization.py).",
        "https://github.com/python/cpython/issues/149079",
    ),
    Vulnerability(
        "CVE-2024-12254", "asyncio's own transport does not pause a writer whose reader is slow, so memory fills.",
        ((3, 12, 9), (3, 13, 2)), "uvloop's transports serve, and nothing calls writelines on them.",
        "https://github.com/python/cpython/issues/127655", since=(3, 12, 0),
    ),
    Vulnerability(
        "CVE-2024-7592", "Parsing cookies with quoted backslashes takes quadratic time.", ((3, 11, 10), (3, 12, 6)),
        "Pages read cookies by a parser of our own with a bound (web/request.py), and the framework gets none.",
        "https://github.com/python/cpython/issues/123067",
    ),
    Vulnerability(
        "CVE-2023-40217", "A TLS server socket may take what came before the handshake for what came after it.", ((3, 11, 5),),
        "The server opens no TLS sockets; a proxy ends TLS.",
        "https://github.com/psf/advisory-database/blob/main/advisories/python/PSF-2023-8.json",
    ),
    Vulnerability(
        "CVE-2022-45061", "Decoding long international host names takes quadratic time.", ((3, 11, 1),),
        "No host name that a client sends is decoded.",
        "https://github.com/psf/advisory-database/blob/main/advisories/python/PSF-2022-10.json",
    ),
)  # fmt: skip


def running_version() -> Version:
    """Return the version of the interpreter that runs."""
    return sys.version_info[:3]


def known_vulnerabilities(version: Version | None = None) -> list[Vulnerability]:
    """Return the faults of an interpreter, of the one that runs if none is named."""
    return [fault for fault in VULNERABILITIES if fault.affects(version or running_version())]


def exposed(faults: list[Vulnerability]) -> list[Vulnerability]:
    """Return those faults that nothing guards."""
    return [fault for fault in faults if not fault.mitigation]


def count_vulnerabilities(state: str) -> int:
    """Return how many known faults are `guarded`, or `exposed`."""
    faults = known_vulnerabilities()
    return len(exposed(faults)) if state == "exposed" else len(faults) - len(exposed(faults))


def log_vulnerabilities() -> None:
    """Log the faults of the interpreter that runs, if it has any: a warning where one is not guarded."""
    faults = known_vulnerabilities()
    if not faults:
        return
    write = log.warning if exposed(faults) else log.info
    write(
        "interpreter-has-known-faults", python=".".join(map(str, running_version())), checked_on=CHECKED_ON,
        guarded=[fault.cve for fault in faults if fault.mitigation], exposed=[fault.cve for fault in exposed(faults)],
    )  # fmt: skip
