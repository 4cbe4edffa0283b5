"""What somebody beside a booting guest sees: its processes, and when the service first answered."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.guests.clouds import Project, leader

_LOOK_SECONDS = 0.05
_TICKS = os.sysconf("SC_CLK_TCK")
# Prints, in seconds since this machine's boot, when /healthz answered 200 for the first time.
_FIRST_ANSWER = """
import time, urllib.request
while True:
    try:
        urllib.request.urlopen("http://127.0.0.1:9999/healthz", timeout=5).close()
        break
    except OSError:
        time.sleep(0.02)
print(time.clock_gettime(time.CLOCK_BOOTTIME))
"""


@dataclass(frozen=True)
class Seen:
    """A process of the guest; `started` in seconds since this machine's boot."""

    pid: int
    command: str
    started: float
    user: int


@dataclass
class Witness:
    """Everything that was seen of the first guest of a project."""

    processes: set[Seen] = field(default_factory=set)
    answered: float = 0.0

    def commands(self, text: str) -> list[Seen]:
        """Those with the text in their command line, in the order of their starts."""
        found = [seen for seen in self.processes if text in seen.command]
        return sorted(found, key=lambda seen: seen.started)


@contextmanager
def watched(project: Project) -> Iterator[Witness]:
    """While the block runs, the first guest that the project boots is watched from its start."""
    witness, over = Witness(), threading.Event()
    thread = threading.Thread(target=_watch, args=(project, witness, over))
    thread.start()
    try:
        yield witness
    finally:
        over.set()
        thread.join()


def _watch(project: Project, witness: Witness, over: threading.Event) -> None:
    # Of this thread alone, as Linux has it: on a busy machine it would look too seldom.
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), -20)
    asking: subprocess.Popen[str] | None = None
    try:
        while not over.wait(_LOOK_SECONDS):
            if (first := _first(project)) is None:
                continue
            witness.processes |= set(_processes(first))
            asking = asking or _asking(first)
            if asking.poll() is not None and not witness.answered:
                assert asking.stdout is not None
                witness.answered = float(asking.stdout.read())
    finally:
        if asking is not None:
            asking.kill()
            asking.communicate()


def _first(project: Project) -> int | None:
    """PID 1 of the guest, as this machine numbers it."""
    with suppress(OSError, LookupError):
        return leader(project.guest_folders()[0])
    return None


def _asking(first: int) -> subprocess.Popen[str]:
    command = ["nsenter", f"--target={first}", "--net", "--", sys.executable, "-c"]
    return subprocess.Popen([*command, _FIRST_ANSWER], stdout=subprocess.PIPE, text=True)


def _processes(first: int) -> Iterator[Seen]:
    """Those in the process namespace of `first` that live at this moment."""
    with suppress(OSError):
        namespace = Path(f"/proc/{first}/ns/pid").readlink()
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if (process / "ns" / "pid").readlink() == namespace:
                    yield _seen(process)


def _seen(process: Path) -> Seen:
    command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    # proc(5): field 22, counted behind the name, which may hold anything but ends with the last ).
    ticks = int((process / "stat").read_text().rpartition(")")[2].split()[19])
    status = (process / "status").read_text()
    user = next(line.split()[1] for line in status.splitlines() if line.startswith("Uid:"))
    return Seen(int(process.name), command.strip(), ticks / _TICKS, int(user))
