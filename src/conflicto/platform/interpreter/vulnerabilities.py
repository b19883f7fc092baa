"""Known vulnerabilities of CPython that clients of a server can reach, and their mitigations.

The table is maintained by hand from the advisories of the Python Software Foundation and CPython's
changelogs. It covers parsers of requests and text, addresses and sockets. `conflicto doctor`, the
log of a start, a metric and `make audit` report the vulnerabilities of the running interpreter. The
public `/health/ready` does not, because that would help attackers.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import structlog

CHECKED_ON = "2026-11-29"
"""The date of the last review of the advisories."""

Version = tuple[int, int, int]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """One vulnerability.

    `fixed` is the first fixed version of each affected series, the oldest first.
    Later series and versions before `since` are not affected. `guard` explains why this program is
    not exposed; an empty one means that it is.
    """

    cve: str
    title: str
    fixed: tuple[Version, ...]
    guard: str
    source: str
    since: Version = (3, 0, 0)

    def affects(self, version: Version) -> bool:
        """Return whether this version of the interpreter is vulnerable."""
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
        "Pages read cookies with a bounded parser of our own (web/request.py), and nothing else reads them.",
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
    """Return the version of the running interpreter."""
    return sys.version_info[:3]


def known_vulnerabilities(version: Version | None = None) -> list[Vulnerability]:
    """Return the vulnerabilities of an interpreter version, by default the running one."""
    return [each for each in VULNERABILITIES if each.affects(version or running_version())]


def exposed(vulnerabilities: list[Vulnerability]) -> list[Vulnerability]:
    """Return the vulnerabilities without a mitigation."""
    return [each for each in vulnerabilities if not each.guard]


def count_vulnerabilities(state: str) -> int:
    """Return the number of known vulnerabilities in a state: `guarded` or `exposed`."""
    known = known_vulnerabilities()
    return len(exposed(known)) if state == "exposed" else len(known) - len(exposed(known))


def log_vulnerabilities() -> None:
    """Log the vulnerabilities of the running interpreter, as a warning if one has no mitigation."""
    known = known_vulnerabilities()
    if not known:
        return
    write = log.warning if exposed(known) else log.info
    write(
        "interpreter-has-known-faults", python=".".join(map(str, running_version())), checked_on=CHECKED_ON,
        guarded=[each.cve for each in known if each.guard], exposed=[each.cve for each in exposed(known)],
    )  # fmt: skip
