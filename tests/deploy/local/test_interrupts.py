"""deploy.local.interrupts: when an interrupt is raised, and in which thread."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from deploy.local.interrupts import SIGNALS, Interrupts


@pytest.fixture
def interrupts() -> Iterator[Interrupts]:
    with Interrupts().caught() as caught:
        yield caught


@pytest.mark.parametrize("number", SIGNALS)
def test_an_interrupt_is_raised_at_once(interrupts: Interrupts, number: signal.Signals) -> None:
    assert interrupts
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)


def test_within_a_shield_it_waits_for_the_outermost_end(interrupts: Interrupts) -> None:
    reached: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        _interrupted_within_two_shields(interrupts, reached)
    assert reached == ["inner", "outer"]


def _interrupted_within_two_shields(interrupts: Interrupts, reached: list[str]) -> None:
    with interrupts.shield():
        with interrupts.shield():
            signal.raise_signal(signal.SIGINT)
            reached.append("inner")
        reached.append("outer")


def test_a_shield_in_another_thread_neither_delays_nor_takes_it(interrupts: Interrupts) -> None:
    inside, leave, taken = threading.Event(), threading.Event(), list[str]()

    def start_a_process() -> None:
        try:
            with interrupts.shield():
                inside.set()
                leave.wait(10)
        except KeyboardInterrupt:
            taken.append("KeyboardInterrupt")

    thread = threading.Thread(target=start_a_process)
    thread.start()
    inside.wait(10)
    try:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    finally:
        leave.set()
        thread.join(10)
    assert taken == []


def test_afterwards_signals_go_where_they_went_before() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with Interrupts().caught():
        pass
    assert [signal.getsignal(number) for number in SIGNALS] == before
