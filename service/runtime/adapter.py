"""A Lambda event becomes an ASGI request, or goes to its event handler."""

import asyncio
import atexit
import time
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TextIO

from mangum import Mangum

from service.errors import MalformedEventError
from service.runtime import fallback, metrics
from service.runtime.asgi import Application
from service.runtime.event_handler import Runtime
from service.runtime.events import EventRouter
from service.runtime.exchange import Exchange
from service.runtime.exits import outlast
from service.runtime.failure import tellable
from service.runtime.fallback import Refusal
from service.runtime.gateways import GATEWAYS, Gateway, is_http
from service.runtime.gateways.reply import excess
from service.runtime.invocation import invoke
from service.runtime.lifespan import Lifespan
from service.runtime.logs import identified
from service.runtime.loop import RequestLoop
from service.runtime.request_lines import RequestLines
from service.runtime.request_log import request_id_of
from service.settings import Settings, current

# Before Lambda ends the process: for what runs to be cancelled, and for the reply.
MARGIN_SECONDS = 0.5
_SERVER_ERROR = 500


class LambdaAdapter:
    """`app` and `events` as a Lambda function: `adapter(event, context)` is the result.

    The application starts when the adapter is made, once, on the loop that then
    runs every invocation; its failure to start is the constructor's. An HTTP event
    (Function URL and HTTP API in payload 2.0 or 1.0, REST API, load balancer) is
    answered by `app`, every other by `events`.
    """

    def __init__(
        self,
        app: Application,
        events: EventRouter | None = None,
        *,
        settings: Settings | None = None,
        log: TextIO | None = None,
    ) -> None:
        self._loop = RequestLoop()
        asyncio.set_event_loop(self._loop)
        self._settings = settings or current()
        self._app = app
        self._lines = RequestLines(self._settings, log)
        self._events = EventRouter() if events is None else events
        self._runtime = Runtime("lambda", self._settings.queues)
        self._mangum = Mangum(
            app,  # type: ignore[arg-type]  # never called: Mangum only finds the gateway
            lifespan="off",
            api_gateway_base_path=self._settings.base_path,
            custom_handlers=GATEWAYS,
        )
        self._lifespan = Lifespan(app)
        try:
            self._run(self._lifespan.startup())
        except BaseException:
            self._close_loop()
            raise
        atexit.register(self.close)

    def __call__(self, event: Any, context: Any) -> Any:
        if is_http(event):
            return self._respond(self._mangum.infer(event, context), context)  # type: ignore[arg-type]
        return outlast(self._loop, self._dispatch(event, context))

    def close(self) -> None:
        """The application has shut down; it happens by itself at the process's exit.

        Lambda, though, freezes a process and ends it without a word, but for SIGTERM where
        the function has an extension (see `termination`).
        """
        if self._loop.is_closed() or self._loop.is_running():
            return
        atexit.unregister(self.close)
        self._run(self._lifespan.shutdown())
        self._close_loop()

    def _respond(self, gateway: Gateway, context: Any) -> dict[str, Any]:
        started = time.perf_counter()
        try:
            scope, body = gateway.scope, gateway.body
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise _malformed(gateway, error) from error
        scope["state"] = self._lifespan.state.copy()
        request_id = (
            request_id_of(scope["headers"]) if context is None else str(context.aws_request_id)
        )
        exchange = Exchange(scope["method"], body, gateway.limit, request_id)
        status = 0
        try:
            in_time = self._loop.run(exchange.run(self._app, scope), lambda: _seconds_left(context))
            reply = self._reply(gateway, exchange, in_time, request_id)
            status = reply["statusCode"]
        finally:
            seconds = time.perf_counter() - started
            asked = scope["method"], scope["path"]
            self._lines.write((*asked, status, request_id, time.time(), seconds))
        if status >= _SERVER_ERROR:
            self._count(request_id)
        return reply

    def _reply(
        self, gateway: Gateway, exchange: Exchange, in_time: bool, request_id: str
    ) -> dict[str, Any]:
        """The application's, or one that says why it cannot be."""
        response = exchange.response()
        if response is None:
            return gateway(_shortfall(exchange, gateway, in_time).response(request_id))
        reply = gateway(response)
        if taken := excess(reply, response, gateway.limit):
            refusal = fallback.too_large(gateway.name, taken, gateway.limit)
            return gateway(refusal.response(request_id))
        return reply

    def _count(self, request_id: str) -> None:
        """An alarm can tell: Lambda itself counts no error, as the invocation has not failed."""
        if self._settings.mode == "lambda":
            with identified(request_id):
                metrics.count(metrics.SERVER_ERRORS, self._settings)

    async def _dispatch(self, event: Any, context: Any) -> Any:
        request_id = context.aws_request_id if context is not None else ""
        left = _seconds_left(context)
        deadline = None if left is None else time.monotonic() + left
        runtime = replace(self._runtime, deadline=deadline)
        try:
            outcome = await invoke(self._events, event, request_id, runtime)
        except Exception as error:
            if (told := tellable(error)) is error:
                raise
            raise told from error
        return outcome.result

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run_until_complete(coroutine)

    def _close_loop(self) -> None:
        asyncio.set_event_loop(None)
        self._loop.close()


def _malformed(gateway: Gateway, error: Exception) -> MalformedEventError:
    cause = f"{type(error).__name__}: {error}"
    return MalformedEventError(
        f"The event looks like an HTTP request of {gateway.name}, "
        f"but cannot be read: {cause:.200}. "
        f"Compare it with the example in the gateway's documentation."
    )


def _seconds_left(context: Any) -> float | None:
    """How long an answer may take; half of what is left, where that is little."""
    if context is None:
        return None
    left: float = context.get_remaining_time_in_millis() / 1000
    return max(left - MARGIN_SECONDS, left / 2)


def _shortfall(exchange: Exchange, gateway: Gateway, in_time: bool) -> Refusal:
    """Why the application has no whole response."""
    if exchange.too_large:
        return fallback.too_large(gateway.name, gateway.limit, gateway.limit)
    return fallback.SERVER_ERROR if in_time else fallback.OUT_OF_TIME
