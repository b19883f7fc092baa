"""The archive format of a backup: one file for either database, protected by a checksum.

    {"format": "conflicto-archive", "version": 1, "schema": "0005", …}     one line of plain JSON
    gzip of lines of JSON:
        {"table": "sessions", "columns": ["id", …], "kinds": ["int", …]}   then its rows, as arrays
        {"rows": {"sessions": 12, …}}                                      the last line
    sha256 of everything before, in hex                                    64 characters

Bytes and UUIDs are written in hex. `head -1` shows the header, `tail -n +2 | gunzip` the content.
"""

from __future__ import annotations

import zlib
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from conflicto.platform.sizes import MIB

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

FORMAT = "conflicto-archive"
VERSION = 1

GZIP_WBITS = 31
"""zlib's `wbits` for a gzip stream."""

COMPRESSION_LEVEL = 1
"""60 MB/s on one core. Files are a quarter larger than at zlib's default 6, which takes three times
as long."""

DIGEST_CHARS = 64
MAX_HEADER_BYTES = 65_536
CHUNK_BYTES = MIB

SQLITE_MAGIC = b"SQLite format 3\x00"


class ArchiveInvalid(ValueError):
    """The file is not a complete archive of this program; the text gives the reason."""


@dataclass(frozen=True, slots=True)
class Header:
    """The header of an archive.

    `schema` is the revision of its tables, `made_us` the database's clock, `epoch` the copied
    epoch.
    """

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
    """Header of one table's rows.

    Their values follow the order of `columns`, each encoded by its kind.
    """

    table: str
    columns: tuple[str, ...]
    kinds: tuple[str, ...]


class ArchiveWriter:
    """Writes one archive; `finish` completes it."""

    def __init__(self, file: BinaryIO, header: Header) -> None:
        self._file = file
        self._digest = sha256()
        self._packer = zlib.compressobj(COMPRESSION_LEVEL, zlib.DEFLATED, GZIP_WBITS)
        self._encode = msgspec.json.Encoder().encode
        self._rows: dict[str, int] = {}
        self._write(self._encode(asdict(header)) + b"\n")

    def section(self, section: Section, rows: Iterable[Sequence[Any]]) -> None:
        """Write a table row by row, in constant memory."""
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
        """Write the end and return the number of rows per table."""
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
    """A file with a valid checksum. Its sections can be read once."""

    def __init__(self, file: BinaryIO, header: Header, end: int) -> None:
        self._file = file
        self._end = end
        self.header = header
        self.rows: dict[str, int] = {}
        """Rows of each table, known once all sections were read."""

    def sections(self) -> Iterator[tuple[Section, Iterator[list[Any]]]]:
        """Yield each table with its rows, which must be consumed before the next table.

        Raises:
            ArchiveInvalid: the row counts differ from those at the end.
        """
        lines = self._lines()
        counted: dict[str, int] = {}
        line = next(lines, None)
        while isinstance(line, dict) and "table" in line:
            section = Section(line["table"], tuple(line["columns"]), tuple(line["kinds"]))
            rows = _Rows(lines)
            yield section, iter(rows)
            counted[section.table] = rows.count
            line = rows.after
        if not isinstance(line, dict) or line.get("rows") != counted:
            raise ArchiveInvalid("The archive's row counts differ from those at its end.")
        self.rows = counted

    def _lines(self) -> Iterator[Any]:
        unpacker = zlib.decompressobj(GZIP_WBITS)
        decode, rest = msgspec.json.Decoder().decode, b""
        while (left := self._end - self._file.tell()) > 0:
            *lines, rest = (rest + unpacker.decompress(self._file.read(min(CHUNK_BYTES, left)))).split(b"\n")
            for line in lines:
                yield decode(line)


class _Rows:
    """The rows up to the next line that is not a row."""

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
    """Yield an archive after verifying its checksum, which reads the whole file once.

    Raises:
        ArchiveInvalid: it is not an archive, incomplete, damaged, or of a later format version.
    """
    with path.open("rb") as file:
        line = file.readline(MAX_HEADER_BYTES)
        if line.startswith(SQLITE_MAGIC):
            raise ArchiveInvalid(
                f"{path} is a database file of SQLite. A copy of a file in use may lack the content of its -wal file. "
                "If the server that used it was stopped, name it in DATABASE_URL and run `conflicto db backup` on it."
            )
        header = _header(path, line)
        end = path.stat().st_size - DIGEST_CHARS
        _require_unchanged(path, file, end)
        file.seek(len(line))
        yield Archive(file, header, end)


def _header(path: Path, line: bytes) -> Header:
    try:
        fields = msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.DecodeError:
        fields = {}
    if fields.get("format") != FORMAT:
        raise ArchiveInvalid(f"{path} is not an archive of `conflicto db backup`.")
    if fields.get("version") != VERSION:
        raise ArchiveInvalid(
            f"{path} was written by a later version ({fields.get('program')}). Restore it with that one or a newer one."
        )
    try:
        return msgspec.convert(fields, Header, strict=True)
    except msgspec.ValidationError as error:
        raise ArchiveInvalid(f"{path}: its first line is damaged.") from error


def _require_unchanged(path: Path, file: BinaryIO, end: int) -> None:
    file.seek(0)
    digest = sha256()
    while (left := end - file.tell()) > 0:
        digest.update(file.read(min(CHUNK_BYTES, left)))
    if file.read() != digest.hexdigest().encode():
        raise ArchiveInvalid(f"{path} is damaged or incomplete: its checksum does not match.")
