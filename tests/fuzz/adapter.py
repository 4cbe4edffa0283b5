"""Bytes become a mutated event, which must end well in the adapter."""

from __future__ import annotations

import atexit
from functools import cache
from typing import Any

from tests.robustness.draw import BytesDraw
from tests.robustness.echo import Echo, router
from tests.robustness.mutation import mutated
from tests.robustness.trial import Trial
from tests.robustness.trial import shown as event_shown

BETWEEN = 200


def check(given: bytes) -> None:
    """Raises AssertionError with what is wrong."""
    running = _trial()
    turn = given[0] if given else 0
    wrong = running.try_event(event(given), turn)
    if running.outcomes.total() % BETWEEN == 0:
        wrong += running.between()
    assert not wrong, "\n".join(wrong)


def shown(given: bytes) -> str:
    """The event."""
    return event_shown(event(given))


def event(given: bytes) -> Any:
    """What the bytes decide; the first is the echo's."""
    return mutated(BytesDraw(given[1:]))[1]


@cache
def _trial() -> Trial:
    echo = Echo()
    running = Trial(echo.app, router(), echo)
    atexit.register(running.close)
    return running
