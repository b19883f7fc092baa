"""The form of a backup: one file that either database writes and reads, and in which no bit can change unseen.

    {"format": "conflicto-archive", "version": 1, "schema": "0005", …}     one line of JSON, readable as it stands
    gzip of lines of JSON:
        {"table": "sessions", "columns": ["id", …], "kinds": ["int", …]}   then its rows, each an array in this order
        {"rows": {"sessions": 12, …}}                                      the last line
    sha256 of everything before, in hex                                    64 characters

Bytes and UUIDs are written in hex. `head -1` shows what a file is, and `tail -n +2 | gunzip` what is in it.
"""

from __future__ import annotations

import zlib
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

FORMAT = "conflicto-archive"
VERSION = 1

GZIP_WBITS = 31
"""zlib's `wbits` for a gzip stream."""

COMPRESSION_LEVEL = 1
"""The level: 60 MB/s on one core, and files a quarter larger than at zlib's usual 6, which takes three times as long."""

DIGEST_CHARS = 64
MAX_HEADER_BYTES = 65_536
CHUNK_BYTES = 1 << 20

SQLITE_MAGIC = b"SQLite format 3\x00"


class ArchiveInvalid(ValueError):
    """The file is no whole archive of this program; says why."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself. `schema` is the revision of its tables, `made_us` the database's clock, `epoch` the life it copies."""

    schema: str
    made_us: int
    made_at: str
    program: str
    database: str
    epoch: str | None
    format: str = FORMAT
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class Section:
    """The rows of one table follow; a row's values stand in the order of `columns`, each written as its kind says."""

    table: str
    columns: tuple[str, ...]
    kinds: tuple[str, ...]


class ArchiveWriter:
    """Writes one archive; `finish` makes it whole."""

    def __init__(self, file: BinaryIO, header: Header) -> None:
        self._file = file
        self._digest = sha256()
        self._packer = zlib.compressobj(COMPRESSION_LEVEL, zlib.DEFLATED, GZIP_WBITS)
        self._encode = msgspec.json.Encoder().encode
        self._rows: dict[str, int] = {}
        self._write(self._encode(asdict(header)) + b"\n")

    def section(self, section: Section, rows: Iterable[Sequence[Any]]) -> None:
        """Write a table, row by row; memory does not grow with it."""
        self._compress(self._encode({"table": section.table, "columns": section.columns, "kinds": section.kinds}) + b"\n")
        encode, lines, size, count = self._encode, [], 0, 0
        for row in rows:
            line = encode(row)
            lines.append(line)
            size += len(line)
            count += 1
            if size > CHUNK_BYTES:
                self._compress(b"\n".join(lines) + b"\n")
                lines, size = [], 0
        if lines:
            self._compress(b"\n".join(lines) + b"\n")
        self._rows[section.table] = count

    def finish(self) -> dict[str, int]:
        """Write the end and return how many rows each table has."""
        self._compress(self._encode({"rows": self._rows}) + b"\n")
        self._write(self._packer.flush())
        self._file.write(self._digest.hexdigest().encode())
        return self._rows

    def _compress(self, data: bytes) -> None:
        self._write(self._packer.compress(data))

    def _write(self, data: bytes) -> None:
        self._digest.update(data)
        self._file.write(data)


class Archive:
    """A file whose digest fits. Its sections can be read once."""

    def __init__(self, file: BinaryIO, header: Header, end: int) -> None:
        self._file = file
        self._end = end
        self.header = header
        self.rows: dict[str, int] = {}
        """Rows of each table, known once all sections were read."""

    def sections(self) -> Iterator[tuple[Section, Iterator[list[Any]]]]:
        """Yield each table with its rows, which must be taken before the next one.

        Raises:
            ArchiveUnusable: the rows are not those that the end speaks of.
        """
        lines = self._lines()
        told: dict[str, int] = {}
        line = next(lines, None)
        while isinstance(line, dict) and "table" in line:
            section = Section(line["table"], tuple(line["columns"]), tuple(line["kinds"]))
            rows = _Rows(lines)
            yield section, iter(rows)
            told[section.table] = rows.count
            line = rows.after
        if not isinstance(line, dict) or line.get("rows") != told:
            raise ArchiveInvalid("The archive does not hold the rows that it says it holds.")
        self.rows = told

    def _lines(self) -> Iterator[Any]:
        unpacker = zlib.decompressobj(GZIP_WBITS)
        decode, rest = msgspec.json.Decoder().decode, b""
        while (left := self._end - self._file.tell()) > 0:
            *lines, rest = (rest + unpacker.decompress(self._file.read(min(CHUNK_BYTES, left)))).split(b"\n")
            for line in lines:
                yield decode(line)


class _Rows:
    """The rows up to the next line that is none."""

    def __init__(self, lines: Iterator[Any]) -> None:
        self._lines = lines
        self.count = 0
        self.after: Any = None

    def __iter__(self) -> Iterator[list[Any]]:
        for line in self._lines:
            if type(line) is not list:
                self.after = line
                return
            self.count += 1
            yield line


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Yield an archive after reading all of it once: what is not as it was written is refused before anything comes of it.

    Raises:
        ArchiveUnusable: it is no archive, not whole, changed, or of a later version of the format.
    """
    with path.open("rb") as file:
        line = file.readline(MAX_HEADER_BYTES)
        if line.startswith(SQLITE_MAGIC):
            raise ArchiveInvalid(
                f"{path} is a database file of SQLite. A copy of a file in use lacks what its -wal file holds, and nobody can tell. "
                "If the server that used it was stopped, name it in DATABASE_URL and run `conflicto db backup` on it."
            )
        header = _header(path, line)
        end = path.stat().st_size - DIGEST_CHARS
        _require_unchanged(path, file, end)
        file.seek(len(line))
        yield Archive(file, header, end)


def _header(path: Path, line: bytes) -> Header:
    try:
        said = msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.DecodeError:
        said = {}
    if said.get("format") != FORMAT:
        raise ArchiveInvalid(f"{path} is no archive of `conflicto db backup`.")
    if said.get("version") != VERSION:
        raise ArchiveInvalid(
            f"{path} was written by a later version ({said.get('program')}). Restore it with that one or a newer one."
        )
    try:
        return msgspec.convert(said, Header, strict=True)
    except msgspec.ValidationError as error:
        raise ArchiveInvalid(f"{path}: its first line is damaged.") from error


def _require_unchanged(path: Path, file: BinaryIO, end: int) -> None:
    file.seek(0)
    digest = sha256()
    while (left := end - file.tell()) > 0:
        digest.update(file.read(min(CHUNK_BYTES, left)))
    if file.read() != digest.hexdigest().encode():
        raise ArchiveInvalid(f"{path} is damaged or not whole: its checksum does not fit.")
