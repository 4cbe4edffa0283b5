"""The lines that files have gained since the last look."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class LogLines:
    """Remembers how far each file has been read; a line comes when it is complete."""

    _read: dict[Path, int] = field(default_factory=dict)

    def new(self, files: Iterable[Path]) -> list[tuple[Path, str]]:
        """Each new line with its file, file by file."""
        return [(path, line) for path in sorted(files) for line in self._of(path)]

    def _of(self, path: Path) -> list[str]:
        begin = self._read.get(path, 0)
        size = path.stat().st_size
        if size < begin:
            begin = 0  # the file was rotated
        with path.open("rb") as file:
            file.seek(begin)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._read[path] = begin + len(whole) + len(newline)
        return whole.decode(errors="replace").splitlines() if newline else []
