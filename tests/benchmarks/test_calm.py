"""tests.benchmarks.calm: which rounds count."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.benchmarks.calm import calm_rounds, statistics, stolen
from tests.benchmarks.report import UnavailableError


def reading(user: int, steal: int) -> str:
    return f"cpu  {user} 0 0 0 0 0 0 {steal} 5 5\ncpu0 1 1 1 1 1 1 1 1 1 1\n"


def readings(*stolen_ticks: int) -> Callable[[], str]:
    """Of rounds of 100 ticks each, so many of them stolen."""
    found: list[str] = []
    for ticks in stolen_ticks:
        found += [reading(0, 0), reading(100 - ticks, ticks)]
    return iter(found).__next__


def played(
    read: Callable[[], str], clock: Iterable[float] | None = None, few: int = 1
) -> tuple[list[int], int]:
    return calm_rounds(
        itertools.count(1).__next__,
        enough=2,
        few=few,
        seconds=10,
        read=read,
        clock=iter(clock or itertools.repeat(0.0)).__next__,
    )


def test_what_the_host_took_is_a_share_of_all_time() -> None:
    assert stolen(reading(1000, 10), reading(1090, 20)) == 0.1
    assert stolen(reading(1000, 10), reading(1000, 10)) == 0.0


def test_a_round_in_which_the_host_took_much_is_played_and_not_counted() -> None:
    assert played(readings(4, 3, 50, 0)) == ([2, 4], 4)


def test_it_ends_with_fewer_when_the_time_is_over() -> None:
    assert played(readings(0, 50), clock=[0, 1, 9, 11]) == ([1], 2)


def test_too_few_are_told_with_their_number_and_the_reason() -> None:
    with pytest.raises(UnavailableError) as told:
        played(readings(0, 50), clock=[0, 1, 9, 11], few=2)
    assert str(told.value) == (
        "Only 1 of 2 rounds count, 2 are needed: in the others the host took more than 3% of "
        "the processors' time. Try again while `vmstat 1` shows less in its column st."
    )


def test_the_statistics_of_this_machine_are_read() -> None:
    found, _ = calm_rounds(lambda: "found", enough=1, few=1, seconds=60)
    assert found == ["found"]


def test_a_system_that_does_not_count_it_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="stat is missing: only Linux says what the host"):
        statistics(tmp_path / "stat")
