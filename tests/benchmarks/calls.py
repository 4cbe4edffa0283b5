"""One route, GET /, as a Lambda function: by our adapter, and by what it is held against.

Each kind of event comes as a browser sends it, and is answered as services customarily do;
and short: asked by curl, and answered with nothing but a type and a length.

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

from service.runtime.asgi import Application, Receive, Scope, Send
from tests.service import events

Handler = Callable[[Any, Any], Any]
GREETING = "Hello world from Twofold!"
_CUSTOMARY = {
    "cache-control": "no-store",
    "strict-transport-security": "max-age=31536000",
    "vary": "Accept-Encoding",
    "x-content-type-options": "nosniff",
}
SHORT = ", short"
KINDS: Mapping[str, Callable[[], events.Event]] = {
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


def event(kind: str) -> events.Event:
    """One event of this kind."""
    if kind.endswith(SHORT):
        return KINDS[kind.removesuffix(SHORT)]()
    return events.browsed(KINDS[kind]())


def _headers(kind: str) -> Mapping[str, str]:
    return {} if kind.endswith(SHORT) else _CUSTOMARY


def _starlette(kind: str) -> Starlette:
    headers = _headers(kind)

    async def hello(_: Request) -> PlainTextResponse:
        return PlainTextResponse(GREETING, headers=headers)

    return Starlette(routes=[Route("/", hello)], lifespan=_lifespan)


def _plain(kind: str) -> Application:
    """The same answer without Starlette, whose share of the time it shows."""
    told = {
        "content-length": "25",
        "content-type": "text/plain; charset=utf-8",
        **_headers(kind),
    }
    headers = [(name.encode(), value.encode()) for name, value in told.items()]

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": GREETING.encode()})

    return app


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
    if name in (STOCK, OFF):
        from mangum import Mangum

        return Mangum(_starlette(kind), lifespan="auto" if name == STOCK else "off")
    from service.runtime.adapter import LambdaAdapter
    from service.settings import Settings

    write_lines(name)
    app = _plain(kind) if name == PLAIN else _starlette(kind)
    return LambdaAdapter(app, settings=Settings(mode="lambda"), log=log)


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
    resolver = resolvers[kind.removesuffix(SHORT)]()
    headers = _headers(kind)

    @resolver.get("/")  # type: ignore[untyped-decorator]
    def hello() -> Response[str]:
        return Response(200, "text/plain; charset=utf-8", GREETING, {**headers})

    return resolver.resolve  # type: ignore[no-any-return]


if "CALLS_NAME" in os.environ:
    lambda_handler = handler(os.environ["CALLS_NAME"], os.environ["CALLS_KIND"])
