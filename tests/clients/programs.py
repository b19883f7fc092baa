"""The programs of docs/clients.md as processes, with their output."""

import json
import os
import queue
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.clients.tools import PYTHON, ROOT, with_modules
from tests.support.patience import PATIENCE_S

PAGE = (ROOT / "docs/clients.md").read_text(encoding="utf-8")
FOUND = re.findall(r"^```(python|javascript)\n((?:#|//) ([^\n]*)\n.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
PROGRAMS = {name: (language, text) for language, text, name in FOUND}
"""Language and text by the name in the first line."""


@dataclass
class Program:
    """A running program. Each line that it prints is a change: entity, id, revision and data."""

    process: subprocess.Popen[str]
    lines: "queue.Queue[str]" = field(default_factory=queue.Queue)
    seen: list[tuple[str, str, int, Any]] = field(default_factory=list)

    def read(self) -> None:
        for line in self.process.stdout or ():
            self.lines.put(line)

    def wait_for(self, entity: str, known: int | str, revision: int) -> None:
        """Wait until the program has printed this revision of an object."""
        while (entity, str(known), revision) not in [each[:3] for each in self.seen]:
            self._take(self.lines.get(timeout=PATIENCE_S))

    def wait_for_end(self) -> int:
        """Wait until the program has ended by itself, and return its exit code."""
        code = self.process.wait(PATIENCE_S)
        while not self.lines.empty():
            self._take(self.lines.get())
        return code

    def state(self) -> dict[tuple[str, str], tuple[int, Any]]:
        """Return the state of a client that stores the highest revision of every object."""
        known: dict[tuple[str, str], tuple[int, Any]] = {}
        for entity, name, revision, data in self.seen:
            known[entity, name] = max(known.get((entity, name), (0, None)), (revision, data), key=lambda each: each[0])
        return known

    def _take(self, line: str) -> None:
        entity, name, revision, data = line.split(" ", 3)
        self.seen.append((entity, name, int(revision), json.loads(data)))


@contextmanager
def running(name: str, folder: Path, **variables: str) -> Iterator[Program]:
    """Yield a running program of the page, and end it afterwards."""
    language, text = PROGRAMS[name]
    file = folder / ("program.py" if language == "python" else "program.js")
    file.write_text(text, encoding="utf-8")
    if language == "javascript":
        with_modules(folder)
    command = [PYTHON if language == "python" else "node", file]
    with subprocess.Popen(command, env=os.environ | variables, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        program = Program(process)
        reader = threading.Thread(target=program.read)
        reader.start()
        try:
            yield program
        finally:
            process.kill()
            reader.join()
