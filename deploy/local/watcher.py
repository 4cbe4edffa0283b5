"""Cleans up after a program that was killed and could not do so itself; run as a script.

It outlives its parent: standard input ends when the parent does, however that came about.
Lines on standard input: `folder PATH` (once), `+PID` (a process group began), `-PID` (it
has ended). At the end of input whatever has begun and not ended gets SIGTERM, then
SIGKILL together with what it started, and the folder goes. Imports nothing of Twofold: it
starts with `python -I -S`.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

GRACE_SECONDS = 10.0


def left_over(lines: Iterable[str]) -> tuple[str, set[int]]:
    """The folder ('' if none was named) and the process groups that have begun and not ended."""
    folder, groups = "", set[int]()
    for line in lines:
        if line.startswith("folder "):
            folder = line.removeprefix("folder ").rstrip("\n")
        elif line.startswith("+"):
            groups.add(int(line))
        elif line.startswith("-"):
            groups.discard(-int(line))
    return folder, groups


def _signal(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def end(groups: set[int], grace: float) -> None:
    """Each group has got SIGTERM, and was killed if it was still there after `grace` seconds."""
    running = {group for group in groups if _signal(group, signal.SIGTERM)}
    deadline = time.monotonic() + grace
    while running and time.monotonic() < deadline:
        time.sleep(0.05)
        running = {group for group in running if _signal(group, 0)}
    if running:
        kill(running)


def kill(groups: set[int]) -> None:
    """The processes of these groups have got SIGKILL, and so have all that they started.

    The first process of a guest is in a session of its own and outlives systemd-nspawn.
    """
    started = descendants(groups)
    for group in groups:
        _signal(group, signal.SIGKILL)
    for pid in started:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def descendants(groups: set[int]) -> set[int]:
    """What the processes of these groups started, and is in none of them; from proc(5)."""
    found, searched = set[int](), set[int]()
    processes = _processes()
    inside = {pid for pid, (_, group) in processes.items() if group in groups}
    while len(searched) < len(inside | found):
        searched = inside | found
        found = {pid for pid, (parent, _) in processes.items() if parent in searched} - inside
    return found


def _processes() -> dict[int, tuple[int, int]]:
    """From each process to its parent and its group."""
    processes = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            _, parent, group = stat.read_bytes().rpartition(b")")[2].split()[:3]
            processes[int(stat.parent.name)] = int(parent), int(group)
    return processes


def main() -> None:
    """Waits for the end of the parent, then cleans up."""
    folder, groups = left_over(sys.stdin)
    end(groups, GRACE_SECONDS)
    if folder:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
