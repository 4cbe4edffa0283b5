"""One route, GET /, as a Lambda function: by our adapter, and by what it is held against.

Run under AWS's runtime client, the function is `tests.benchmarks.calls.lambda_handler`, by
the name and for the kind of event that CALLS_NAME and CALLS_KIND say.
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TextIO

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from service.runtime.asgi import Receive, Scope, Send
from tests.service import events

Handler = Callable[[Any, Any], Any]
GREETING = "Hello world from Twofold!"
EVENTS: Mapping[str, Callable[[], events.Event]] = {
    "payload 2.0": events.function_url,
    "REST API": events.rest_api,
    "load balancer": events.load_balancer,
    "load balancer, multi-value": events.load_balancer_multi,
}
STOCK, OFF, OURS = (
    "stock Mangum, lifespan",
    "stock Mangum, lifespan off",
    "LambdaAdapter, with log line",
)
POWERTOOLS, BARE = "Powertools' resolver", "bare function"
PLAIN = "LambdaAdapter without a framework"


async def _hello(_: Request) -> PlainTextResponse:
    return PlainTextResponse(GREETING)


async def _plain(scope: Scope, _receive: Receive, send: Send) -> None:
    """The same answer without Starlette, whose share of the time it shows."""
    if scope["type"] == "http":
        headers = [(b"content-length", b"25"), (b"content-type", b"text/plain; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": GREETING.encode()})


@asynccontextmanager
async def _lifespan(_: Starlette) -> AsyncIterator[dict[str, int]]:
    yield {"answer": 42}


def handler(name: str, kind: str, log: TextIO | None = None) -> Handler:
    """The function of this name for one kind of event; ours writes its log line to `log`."""
    if name == BARE:
        return lambda _event, _context: {"statusCode": 200, "body": GREETING}
    if name == POWERTOOLS:
        return _powertools(kind)
    app = Starlette(routes=[Route("/", _hello)], lifespan=_lifespan)
    if name in (OURS, PLAIN):
        from service.runtime.adapter import LambdaAdapter
        from service.settings import Settings

        logging.getLogger("service.request").setLevel(logging.INFO)
        served = app if name == OURS else _plain
        return LambdaAdapter(served, settings=Settings(mode="lambda"), log=log)
    from mangum import Mangum

    return Mangum(app, lifespan="auto" if name == STOCK else "off")


def _powertools(kind: str) -> Handler:
    from aws_lambda_powertools.event_handler import (
        ALBResolver,
        APIGatewayHttpResolver,
        APIGatewayRestResolver,
        Response,
    )

    resolvers = {
        "payload 2.0": APIGatewayHttpResolver,
        "REST API": APIGatewayRestResolver,
        "load balancer": ALBResolver,
        "load balancer, multi-value": ALBResolver,
    }
    resolver = resolvers[kind]()

    @resolver.get("/")  # type: ignore[untyped-decorator]
    def hello() -> Response[str]:
        return Response(200, "text/plain; charset=utf-8", GREETING)

    return resolver.resolve  # type: ignore[no-any-return]


if "CALLS_NAME" in os.environ:
    lambda_handler = handler(os.environ["CALLS_NAME"], os.environ["CALLS_KIND"])
