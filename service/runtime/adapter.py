"""A Lambda event becomes an ASGI request, or goes to its event handler."""

import asyncio
import atexit
import logging
import time
from collections.abc import Coroutine
from typing import Any, TextIO

from mangum import Mangum
from mangum.types import LambdaHandler

from service.errors import MalformedEventError
from service.runtime.asgi import Application, Scope
from service.runtime.events import EventRouter, describe, kind_of
from service.runtime.exchange import Exchange
from service.runtime.gateways import GATEWAYS, is_http
from service.runtime.lifespan import Lifespan
from service.runtime.logs import REQUEST_ID
from service.runtime.request_log import RequestLog
from service.settings import Settings, current

logger = logging.getLogger("service.event")


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
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        self._app = RequestLog(app, settings or current(), log).respond
        self._events = EventRouter() if events is None else events
        self._mangum = Mangum(self._app, lifespan="off", custom_handlers=list(GATEWAYS))
        self._lifespan = Lifespan(app)
        try:
            self._run(self._lifespan.startup())
        except BaseException:
            self._close_loop()
            raise
        atexit.register(self.close)

    def __call__(self, event: Any, context: Any) -> Any:
        if is_http(event):
            return self._respond(self._mangum.infer(event, context))
        return self._run(self._dispatch(event, context))

    def close(self) -> None:
        """The application has shut down.

        It happens by itself at the process's exit; Lambda, though, freezes a process
        and ends it without a word.
        """
        atexit.unregister(self.close)
        self._run(self._lifespan.shutdown())
        self._close_loop()

    def _respond(self, gateway: LambdaHandler) -> dict[str, Any]:
        scope, body = _request(gateway)
        scope["state"] = self._lifespan.state.copy()
        exchange = Exchange(body)
        self._run(exchange.run(self._app, scope))
        return gateway(exchange.response())

    async def _dispatch(self, event: Any, context: Any) -> Any:
        """The handler's result; a failure is logged with its request ID and is the invocation's."""
        REQUEST_ID.set(context.aws_request_id if context is not None else "")
        kind = describe(kind_of(event))
        started = time.perf_counter()
        try:
            result = await self._result(event)
        except Exception:
            logger.exception("%s failed", kind)
            raise
        milliseconds = round((time.perf_counter() - started) * 1000, 3)
        logger.info("%s handled", kind, extra={"ms": milliseconds})
        return result

    async def _result(self, event: Any) -> Any:
        try:
            return await self._events.dispatch(event)
        except asyncio.CancelledError as error:  # no Exception: it would end the process
            raise RuntimeError("A task that the event handler awaited was cancelled.") from error

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run_until_complete(coroutine)

    def _close_loop(self) -> None:
        asyncio.set_event_loop(None)
        self._loop.close()


def _request(gateway: LambdaHandler) -> tuple[Scope, bytes]:
    try:
        return gateway.scope, gateway.body
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise MalformedEventError(
            f"The event looks like an HTTP request, but cannot be read: {error!r}. "
            f"Compare it with the example in the gateway's documentation."
        ) from error
