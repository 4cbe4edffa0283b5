"""One event of each kind, in process: LambdaAdapter against what else answers one."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator, Mapping
from statistics import median

from tests.benchmarks.calls import (
    BARE,
    EVENTS,
    OFF,
    OURS,
    PLAIN,
    POWERTOOLS,
    STOCK,
    Handler,
    handler,
)
from tests.benchmarks.report import Row, at_most
from tests.service.events import Context, Event

TITLE = "Adapter: one event in process"
OF_STOCK = {
    "payload 2.0": at_most(0.30),
    "REST API": at_most(0.33),
    "load balancer": at_most(0.20),
    "load balancer, multi-value": at_most(0.20),
}
OF_POWERTOOLS = {"payload 2.0": at_most(1.0)}


def measure(rounds: int = 25, events: int = 200) -> list[Row]:
    """Medians over alternating rounds; ours prints its log line, the others none."""
    return [row for kind in EVENTS for row in _rows(kind, rounds, events)]


def _rows(kind: str, rounds: int, events: int) -> Iterator[Row]:
    spent = _spent(kind, rounds, events)
    for name in (BARE, POWERTOOLS, STOCK, OFF):
        yield Row(f"{kind}: {name}", median(spent[name]), "us")
    for name, other, target in (
        (OURS, STOCK, OF_STOCK[kind]),
        (OURS, POWERTOOLS, OF_POWERTOOLS.get(kind)),
        (PLAIN, POWERTOOLS, None),  # which routes by itself
    ):
        ratio = median(a / b for a, b in zip(spent[name], spent[other], strict=True))
        yield Row(f"{kind}: {name}", median(spent[name]), "us", ratio, target, f"of {other}")


def _spent(kind: str, rounds: int, events: int) -> Mapping[str, list[float]]:
    """Microseconds an event, by name and round."""
    event = EVENTS[kind]()
    with io.TextIOWrapper(io.FileIO(os.devnull, "w"), "ascii", write_through=True) as log:
        handlers = {
            name: handler(name, kind, log) for name in (STOCK, OFF, OURS, PLAIN, POWERTOOLS, BARE)
        }
        spent: dict[str, list[float]] = {name: [] for name in handlers}
        for _ in range(rounds):
            for name, called in handlers.items():
                spent[name].append(_microseconds(called, event, events))
        for name in (OURS, PLAIN):
            handlers[name].close()  # type: ignore[attr-defined]
    return spent


def _microseconds(called: Handler, event: Event, events: int) -> float:
    context = Context()
    started = time.perf_counter()
    for _ in range(events):
        called(event, context)
    return (time.perf_counter() - started) / events * 1_000_000
