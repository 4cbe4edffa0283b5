"""Ctrl-C and SIGTERM end the program alike, but never between two steps that belong together."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Raises KeyboardInterrupt in the main thread on SIGINT and SIGTERM, but not while shielded.

    An interrupt that comes within `shield()` is raised at its end, so a process is never
    started without being written down, and cleaning up is not cut short. In any other
    thread nothing is raised, so a shield has nothing to do there.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._pending = False

    @contextmanager
    def caught(self) -> Iterator[Interrupts]:
        """While the block runs, both signals come here; then they go where they went before."""
        before = {number: signal.signal(number, self._arrive) for number in SIGNALS}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def shield(self) -> Iterator[None]:
        """No interrupt within the block; one that came meanwhile is raised at its end."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
        if self._pending and not self._depth:
            self._pending = False
            raise KeyboardInterrupt

    def _arrive(self, _number: int, _frame: FrameType | None) -> None:
        if self._depth:
            self._pending = True
        else:
            raise KeyboardInterrupt
