"""One event of each kind, in process: LambdaAdapter against what else answers one."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator, Mapping
from statistics import median
from typing import TextIO

from tests.benchmarks.calls import (
    BARE,
    KINDS,
    LINED,
    OFF,
    OURS,
    PLAIN,
    POWERTOOLS,
    POWERTOOLS_LINED,
    SHORT,
    STOCK,
    Handler,
    event,
    handler,
    write_lines,
)
from tests.benchmarks.report import Row, at_most
from tests.service.events import Context, Event

TITLE = "Adapter: one event in process"
OTHERS = (BARE, POWERTOOLS, POWERTOOLS_LINED, STOCK, OFF)
OF_STOCK = {
    "payload 2.0": at_most(0.30),
    "REST API": at_most(0.33),
    "load balancer": at_most(0.20),
    "load balancer, multi-value": at_most(0.20),
}
OF_POWERTOOLS = {"payload 2.0": at_most(1.0)}


def measure(rounds: int = 25, events: int = 200) -> list[Row]:
    """Medians over alternating rounds; like is held against like, with a log line or without."""
    with io.TextIOWrapper(io.FileIO(os.devnull, "w"), "ascii", write_through=True) as log:
        kinds = [*KINDS, *(kind + SHORT for kind in KINDS)]
        return [row for kind in kinds for row in _rows(kind, log, rounds, events)]


def _rows(kind: str, log: TextIO, rounds: int, events: int) -> Iterator[Row]:
    spent = _spent(kind, log, rounds, events)
    gateway = kind.removesuffix(SHORT)
    for name in OTHERS:
        yield Row(f"{kind}: {name}", median(spent[name]), "us")
    for name, other, target in (
        (OURS, STOCK, OF_STOCK[gateway]),
        (OURS, POWERTOOLS, OF_POWERTOOLS.get(gateway)),
        (LINED, POWERTOOLS_LINED, OF_POWERTOOLS.get(gateway)),
        (LINED, STOCK, None),  # which writes none
        (PLAIN, POWERTOOLS, None),  # which routes by itself
    ):
        ratio = median(a / b for a, b in zip(spent[name], spent[other], strict=True))
        yield Row(f"{kind}: {name}", median(spent[name]), "us", ratio, target, f"of {other}")


def _spent(kind: str, log: TextIO, rounds: int, events: int) -> Mapping[str, list[float]]:
    """Microseconds an event, by name and round."""
    asked = event(kind)
    handlers = {name: handler(name, kind, log) for name in (*OTHERS, OURS, LINED, PLAIN)}
    spent: dict[str, list[float]] = {name: [] for name in handlers}
    for _ in range(rounds):
        for name, called in handlers.items():
            write_lines(name)
            spent[name].append(_microseconds(called, asked, events))
    for name in (OURS, LINED, PLAIN):
        handlers[name].close()  # type: ignore[attr-defined]
    return spent


def _microseconds(called: Handler, asked: Event, events: int) -> float:
    context = Context()
    started = time.perf_counter()
    for _ in range(events):
        called(asked, context)
    return (time.perf_counter() - started) / events * 1_000_000
