"""`twofold` as a user starts it, in a copy of the project, and ended in every way there is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

Processes = Callable[[Path], list[str]]
Eventually = Callable[..., None]
Run = Callable[..., "Program"]

SECONDS = 90
PARTS = (
    "service",
    "deploy",
    "ops",
    "pyproject.toml",
    "service.lock",
    "deploy.lock",
    "README.md",
)


def copied(root: Path, folder: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__")
    for part in PARTS:
        if (root / part).is_dir():
            shutil.copytree(root / part, folder / part, ignore=ignored)
        else:
            shutil.copy(root / part, folder / part)
    (root / ".twofold" / "cache").mkdir(parents=True, exist_ok=True)
    (folder / ".twofold").mkdir()
    (folder / ".twofold" / "cache").symlink_to(root / ".twofold" / "cache")
    return folder


@dataclass
class Program:
    """A running twofold whose temporary folders all lie in `scratch`."""

    process: subprocess.Popen[str]
    scratch: Path
    processes_of: Processes
    eventually: Eventually
    progress: list[str]
    reader: threading.Thread

    def reach(self, line: str) -> None:
        """Waits for a line of progress."""
        self.eventually(lambda: self._said(line) or self.process.poll() is not None, SECONDS)
        # What it wrote last may still be on its way here.
        self.reader.join(0 if self.process.poll() is None else 5)
        assert self._said(line), "".join(self.progress)

    def _said(self, line: str) -> bool:
        return any(line in seen for seen in self.progress)

    def end(self, number: int | None = None) -> int:
        """The exit code, after a signal if one is given."""
        if number is not None:
            self.process.send_signal(number)
        return self.process.wait(SECONDS)

    def output(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.read()

    def expect_nothing_left(self) -> None:
        self.eventually(lambda: not self.processes_of(self.scratch))
        assert list(self.scratch.iterdir()) == []


def _collect(process: subprocess.Popen[str], progress: list[str]) -> None:
    assert process.stderr is not None
    with suppress(ValueError):
        progress.extend(iter(process.stderr.readline, ""))


def started(
    arguments: Sequence[str],
    folder: Path,
    scratch: Path,
    processes_of: Processes,
    eventually: Eventually,
    *,
    stdout: int | IO[bytes] = subprocess.PIPE,
) -> Program:
    """A running twofold, whose progress is collected."""
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy", *arguments],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(scratch), "PYTHONUNBUFFERED": "1"},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )
    progress: list[str] = []
    reader = threading.Thread(target=_collect, args=(process, progress), daemon=True)
    reader.start()
    return Program(process, scratch, processes_of, eventually, progress, reader)


def record(project: Path) -> Path:
    return project / ".twofold" / "local.json"


def get(url: str) -> str:
    with urllib.request.urlopen(url) as answer:
        return str(answer.read().decode())
