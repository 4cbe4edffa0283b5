"""One Function URL event, in process: LambdaAdapter against stock Mangum with a lifespan."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from statistics import median
from typing import Any

from mangum import Mangum
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from service.runtime.adapter import LambdaAdapter
from service.settings import Settings
from tests.benchmarks.report import Row, at_most
from tests.service.events import Context, function_url

TITLE = "Adapter: one Function URL event in process"


async def _hello(_: Request) -> PlainTextResponse:
    return PlainTextResponse("Hello world from Twofold!")


@asynccontextmanager
async def _lifespan(_: Starlette) -> AsyncIterator[dict[str, int]]:
    yield {"answer": 42}


def measure(rounds: int = 15, events: int = 500) -> list[Row]:
    """Medians over alternating rounds; ours prints its log line, stock Mangum none."""
    app = Starlette(routes=[Route("/", _hello)], lifespan=_lifespan)
    with open(os.devnull, "w", buffering=1) as log:  # noqa: PTH123 - a device, not a path
        ours = LambdaAdapter(app, settings=Settings(mode="lambda"), log=log)
        handlers: dict[str, Callable[[Any, Any], object]] = {
            "stock": Mangum(app),
            "off": Mangum(app, lifespan="off"),
            "ours": ours,
        }
        spent: dict[str, list[float]] = {name: [] for name in handlers}
        for _ in range(rounds):
            for name, handler in handlers.items():
                spent[name].append(_microseconds(handler, events))
        ours.close()
    figures = {name: median(times) for name, times in spent.items()}
    ratio = median(a / b for a, b in zip(spent["ours"], spent["stock"], strict=True))
    return [
        Row("stock Mangum, lifespan", figures["stock"], "us"),
        Row("stock Mangum, lifespan off", figures["off"], "us"),
        Row(
            "LambdaAdapter, with log line",
            figures["ours"],
            "us",
            ratio,
            at_most(0.45),
            "of stock Mangum, lifespan",
        ),
    ]


def _microseconds(handler: Callable[[Any, Any], object], events: int) -> float:
    event, context = function_url(), Context()
    started = time.perf_counter()
    for _ in range(events):
        handler(event, context)
    return (time.perf_counter() - started) / events * 1_000_000
