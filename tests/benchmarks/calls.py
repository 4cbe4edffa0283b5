"""One route, GET /, as a Lambda function: by our adapter, and by what it is held against.

Run under AWS's runtime client, the function is `tests.benchmarks.calls.lambda_handler`, by
the name and for the kind of event that CALLS_NAME and CALLS_KIND say.
"""

from __future__ import annotations

import logging
import os
import time
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
STOCK, OFF = "stock Mangum, lifespan", "stock Mangum, lifespan off"
OURS, LINED = "LambdaAdapter", "LambdaAdapter, with log line"
PLAIN = "LambdaAdapter without a framework"
POWERTOOLS, POWERTOOLS_LINED = "Powertools' resolver", "Powertools' resolver and Logger's line"
BARE = "bare function"


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
    """The function of this name for one kind of event, which writes its log line to `log`."""
    if name == BARE:
        return lambda _event, _context: {"statusCode": 200, "body": GREETING}
    if name == POWERTOOLS:
        return _powertools(kind)
    if name == POWERTOOLS_LINED:
        return _with_line(_powertools(kind), log)
    app = Starlette(routes=[Route("/", _hello)], lifespan=_lifespan)
    if name in (STOCK, OFF):
        from mangum import Mangum

        return Mangum(app, lifespan="auto" if name == STOCK else "off")
    from service.runtime.adapter import LambdaAdapter
    from service.settings import Settings

    write_lines(name)
    served = _plain if name == PLAIN else app
    return LambdaAdapter(served, settings=Settings(mode="lambda"), log=log)


def write_lines(name: str) -> None:
    """Whether ours writes a line for a request: a setting of the process, by the log's level."""
    level = logging.INFO if name == LINED else logging.WARNING
    logging.getLogger("service.request").setLevel(level)


def _with_line(resolve: Handler, log: TextIO | None) -> Handler:
    """What ours tells of a request, in a line that Powertools' Logger writes."""
    from aws_lambda_powertools import Logger

    logger = Logger(service="hello", stream=log)

    def answer(event: Any, context: Any) -> Any:
        started = time.perf_counter()
        reply = resolve(event, context)
        told = {
            "request_id": context.aws_request_id,
            "method": "GET",
            "path": "/",
            "status": reply["statusCode"],
            "ms": round((time.perf_counter() - started) * 1000, 3),
        }
        logger.info("GET / 200", extra=told)
        return reply

    return answer


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
