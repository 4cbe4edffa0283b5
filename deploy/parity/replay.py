"""EDGE: the requests go to both sides, one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from deploy.parity.difference import Ignored
from deploy.parity.exchange import Compared, Exchange
from deploy.parity.explanation import compare
from deploy.parity.request import Request
from deploy.parity.wire import ask

LAMBDA = "lambda"
_NOTE_SECONDS = 1.0


@dataclass
class Replay:
    """Asks both sides the same, and keeps what came of it.

    Args:
        sides: a side's name -> its URL; one is `lambda`, the others are instances.
        note: takes a line of progress, at most one a second.
    """

    sides: Mapping[str, str]
    requests: Sequence[Request]
    ignored: Ignored
    note: Callable[[str], None]
    compared: list[Compared] = field(default_factory=list)
    asked: int = 0
    _noted: float = field(default_factory=time.monotonic)

    def run(self) -> None:
        """Every request has been asked of every side, in order; each side has seen one at a time.

        Interrupted, `compared` holds what was asked of all sides by then; of the answers only
        what a report shows.
        """
        for request in self.requests:
            self.compared += self._compared(request)
            self.asked += 1
            self._progress()

    def _compared(self, request: Request) -> tuple[Compared, ...]:
        on_lambda = ask(LAMBDA, self.sides[LAMBDA], request)
        others = [ask(name, url, request) for name, url in self._instances()]
        made = [compare(Exchange(request, on_lambda, other), self.ignored) for other in others]
        return tuple(replace(one, exchange=one.exchange.without_content) for one in made)

    def _instances(self) -> Iterator[tuple[str, str]]:
        return ((name, url) for name, url in self.sides.items() if name != LAMBDA)

    def _progress(self) -> None:
        if time.monotonic() - self._noted > _NOTE_SECONDS:
            self._noted = time.monotonic()
            self.note(f"  {self.asked} of {len(self.requests)} asked")
