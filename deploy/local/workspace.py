"""One temporary folder and the processes that live in it; all of it goes together."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from deploy.local import watcher
from deploy.local.interrupts import Interrupts

PREFIX = "twofold-local-"
_END_OF_LOG_BYTES = 16_384
_LONGEST_TEMPORARY = 52


@dataclass(frozen=True)
class Command:
    """What to start, and for how many seconds it may take its leave after SIGTERM.

    `environment` is the whole of it; `descriptors` are handed over open.
    """

    arguments: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    descriptors: Sequence[int] = ()
    grace: float = 5.0


class Child:
    """A running process, leader of its own process group; its output goes to `log`."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, grace: float) -> None:
        self._process = process
        self.log = log
        self.grace = grace

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """None while it runs; minus the signal's number when a signal ended it."""
        return self._process.poll()

    def ask_to_stop(self) -> None:
        """It has got SIGTERM, unless it has ended already."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def stop(self, grace: float) -> None:
        """The process and its group have ended: SIGTERM, then SIGKILL after `grace` seconds."""
        self.ask_to_stop()
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process.wait()
        watcher.end({self.pid}, 0.0)

    def kill(self) -> None:
        """The process, its group and all that they started have got SIGKILL."""
        watcher.kill({self.pid})

    def end_of_log(self, lines: int = 20) -> str:
        """The last lines of what it wrote, for an error message."""
        return end_of_file(self.log, lines)


def end_of_file(path: Path, lines: int) -> str:
    """The last lines of a log file; what is not UTF-8 shows as a replacement character."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _END_OF_LOG_BYTES))
        text = file.read().decode(errors="replace")
    return "\n".join(text.rstrip().splitlines()[-lines:])


class Workspace:
    """A context manager: at its end, however it comes, no process and no folder is left.

    A watcher process (watcher.py) does the same when this program is killed outright.
    """

    def __init__(self, interrupts: Interrupts) -> None:
        self._interrupts = interrupts
        self._children: list[Child] = []

    def __enter__(self) -> Workspace:
        with self._interrupts.shield():
            self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_temporary())).resolve()
            self._watcher = subprocess.Popen(
                [sys.executable, "-I", "-S", watcher.__file__],
                stdin=subprocess.PIPE,
                start_new_session=True,
            )
            self._tell(f"folder {self.folder}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._interrupts.shield():
            for child in reversed(self._children):
                child.ask_to_stop()
            for child in self._children[::-1]:
                self.stop(child)
            shutil.rmtree(self.folder, ignore_errors=True)
            assert self._watcher.stdin is not None  # noqa: S101  opened as a pipe above
            self._watcher.stdin.close()
            self._watcher.wait()

    def start(self, command: Command, log: Path) -> Child:
        """The command runs, in a session of its own: a Ctrl-C reaches this program only."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with self._interrupts.shield(), log.open("ab") as output:
            process = subprocess.Popen(
                command.arguments,
                env=dict(command.environment),
                cwd=command.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=command.descriptors,
                start_new_session=True,
            )
            self._tell(f"+{process.pid}")
            child = Child(process, log, command.grace)
            self._children.append(child)
        return child

    def stop(self, child: Child, grace: float | None = None) -> None:
        """The child has ended and is forgotten; `grace` overrules its own."""
        child.stop(child.grace if grace is None else grace)
        self._tell(f"-{child.pid}")
        self._children.remove(child)

    def _tell(self, line: str) -> None:
        assert self._watcher.stdin is not None  # noqa: S101  opened as a pipe above
        os.write(self._watcher.stdin.fileno(), f"{line}\n".encode())


def _temporary() -> str:
    """Where temporary folders go.

    /tmp when that path is so long that no socket fits in it, or holds what supervisord's
    configuration reads otherwise: a space, a quote, a percent sign.
    """
    folder = str(Path(tempfile.gettempdir()).resolve())
    fits = len(folder) <= _LONGEST_TEMPORARY and re.fullmatch(r"[A-Za-z0-9_./+-]+", folder)
    return folder if fits else "/tmp"  # noqa: S108  mkdtemp makes a folder of our own in it
