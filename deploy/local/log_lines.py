"""The lines that files have gained since the last look."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class LogLines:
    """Remembers how far each file has been read; a line comes when it is complete.

    A file that is gone, as one that was just rotated away, has no lines.
    """

    _read: dict[Path, int] = field(default_factory=dict)

    def new(self, files: Iterable[Path]) -> list[tuple[Path, str]]:
        """Each new line with its file, file by file."""
        return [(path, line) for path in sorted(files) for line in self._of(path)]

    def _of(self, path: Path) -> list[str]:
        begin = self._read.get(path, 0)
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_size < begin:
                    begin = 0  # the file was rotated
                file.seek(begin)
                whole, newline, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            self._read.pop(path, None)
            return []
        self._read[path] = begin + len(whole) + len(newline)
        return whole.decode(errors="replace").splitlines() if newline else []
