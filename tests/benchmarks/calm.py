"""Rounds of a benchmark that the host of a virtual machine left alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tests.benchmarks.report import UnavailableError

Round = TypeVar("Round")
STOLEN_LIMIT = 0.03
_STEAL = 7  # proc(5), /proc/stat: user nice system idle iowait irq softirq steal


def statistics(path: Path = Path("/proc/stat")) -> str:
    """What Linux counts of the processors' time.

    Raises:
        UnavailableError: this is no Linux.
    """
    if not path.exists():
        raise UnavailableError(f"{path} is missing: only Linux says what the host took. Use Linux.")
    return path.read_text(encoding="ascii")


def calm_rounds(
    play: Callable[[], Round],
    *,
    enough: int,
    few: int,
    seconds: float,
    read: Callable[[], str] = statistics,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[list[Round], int]:
    """What `play` found in the calm rounds, and how many rounds were played.

    A round counts if the host took no more than `STOLEN_LIMIT` of the processors' time.
    It goes on until `enough` count or `seconds` are over.

    Raises:
        UnavailableError: fewer than `few` rounds count.
    """
    counted: list[Round] = []
    played = 0
    deadline = clock() + seconds
    while len(counted) < enough and clock() < deadline:
        before = read()
        found = play()
        played += 1
        if stolen(before, read()) <= STOLEN_LIMIT:
            counted.append(found)
    if len(counted) < few:
        raise UnavailableError(
            f"Only {len(counted)} of {played} rounds count, {few} are needed: in the others the "
            f"host took more than {STOLEN_LIMIT:.0%} of the processors' time. "
            f"Try again while `vmstat 1` shows less in its column st."
        )
    return counted, played


def stolen(before: str, after: str) -> float:
    """The share of the processors' time that the host took between two readings of /proc/stat."""
    spent = [late - early for early, late in zip(_ticks(before), _ticks(after), strict=True)]
    return spent[_STEAL] / max(1, sum(spent))


def _ticks(reading: str) -> list[int]:
    """Of all processors; time of guests, which follows, is in the user's already."""
    return [int(ticks) for ticks in reading.split("\n", 1)[0].split()[1 : _STEAL + 2]]
