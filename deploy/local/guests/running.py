"""The guests of a `twofold up` or `twofold guest boot` that runs in another process."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import LocalError
from deploy.local.guests.guest import leader_of

LOGS = Path(__file__).with_name("logs.sh")
"""What shows a guest's logs, in the guest."""

_INTERRUPTED = 130  # as a shell reports a program that Ctrl-C ended


@dataclass(frozen=True)
class RunningGuest:
    """A guest that is up; `leader` is its PID 1, as this machine numbers it."""

    instance: str
    leader: int
    folder: Path


def running(workspace: Path) -> tuple[RunningGuest, ...]:
    """The guests that are up in this workspace, the oldest first."""
    folders = sorted((workspace / "guests").glob("i-*"), key=_since)
    return tuple(guest for folder in folders for guest in _guest(folder))


def chosen(guests: tuple[RunningGuest, ...], instance: str) -> RunningGuest:
    """The guest whose ID begins with `instance`, or for '' the only one.

    Raises:
        LocalError: none is up, none has that ID, or more than one could be meant.
    """
    if not guests:
        raise LocalError(
            "No guest is up in this project. "
            "Start one in another terminal: twofold guest boot, or twofold up --guests."
        )
    found = [guest for guest in guests if guest.instance.startswith(instance)]
    if len(found) == 1:
        return found[0]
    up = ", ".join(guest.instance for guest in guests)
    if not found:
        raise LocalError(f"No guest {instance!r} is up. These are: {up}.")
    raise LocalError(f"{len(found)} guests could be meant; name one of them: {up}.")


def _since(folder: Path) -> float:
    """Since when it is as it is; a guest's folder may be removed at any moment."""
    with suppress(FileNotFoundError):
        return folder.stat().st_ctime
    return 0.0


def _guest(folder: Path) -> list[RunningGuest]:
    with suppress(OSError, ValueError):
        leader = leader_of(int((folder / "pid").read_text(encoding="ascii")))
        if leader is not None:
            return [RunningGuest(folder.name, leader, folder)]
    return []


def attached(command: Sequence[str]) -> int:
    """Runs a command with this program's own terminal; its exit code."""
    try:
        return subprocess.run(command, check=False).returncode
    except KeyboardInterrupt:
        return _INTERRUPTED
