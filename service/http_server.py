"""The instance's way in: uvicorn on one socket, drained before it stops."""

import asyncio
import contextlib
import logging
import select
import signal
import socket
import time
from collections.abc import Iterator

import uvicorn

from service.runtime import handler_module
from service.runtime.asgi import Application
from service.runtime.listener import listener
from service.runtime.request_log import RequestLog
from service.settings import Settings

# Above the 60 s after which AWS's load balancers drop an idle connection: the side
# that closes first must be the one that knows no request is on its way.
KEEP_ALIVE_SECONDS = 75
_LOOK_SECONDS = 0.02

logger = logging.getLogger("service.http_server")


def serve(settings: Settings) -> None:
    """Serves the handler module until TERM or INT.

    Raises:
        HandlerModuleError: there is nothing to serve; no socket was opened.
        ListenError: the address cannot be had.
    """
    app = handler_module.load().app
    with contextlib.closing(listener(settings)) as sock:
        logger.info("Listening on %s", _url(sock))
        server(RequestLog(app, settings).respond, settings).run(sockets=[sock])


def server(app: Application, settings: Settings) -> "DrainingServer":
    """A server of `app` that trusts the proxy headers of no address but the configured ones."""
    config = uvicorn.Config(
        app,
        interface="asgi3",  # which uvicorn cannot tell of a method
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.forwarded_allow_ips),
        forwarded_allow_ips=list(settings.forwarded_allow_ips),
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.grace_seconds,  # type: ignore[arg-type]  # annotated as int, but given to asyncio.wait_for
        workers=1,
    )
    return DrainingServer(config, settings.drain_seconds)


class DrainingServer(uvicorn.Server):
    """Ends without cutting off a request that completes in time, and with exit code 0.

    On TERM or INT it stops accepting and closes each connection after its next
    answer (`Connection: close`), for the drain time; what is idle then is closed,
    and requests in flight may take the grace time to complete. A client that was
    told of no close may ask once more, so its connection stays open till then. One
    that asks in the very moment of the close loses its request (RFC 9112, section
    9.5: it must expect that), so the drain time should outlast a client's pauses.
    """

    def __init__(self, config: uvicorn.Config, drain_seconds: float) -> None:
        super().__init__(config)
        self._drain_seconds = drain_seconds

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        logger.info("Draining %d connections", len(self.server_state.connections))
        for listening in self.servers:
            listening.close()
        self._close_after_answer()
        await self._drained()
        await self._close_idle()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """uvicorn's own would raise the signal again at the end, which is no clean exit."""
        loop = asyncio.get_running_loop()
        signals = (signal.SIGTERM, signal.SIGINT)
        for number in signals:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)

    def _close_after_answer(self) -> None:
        self.server_state.default_headers = [
            *self.server_state.default_headers,
            (b"connection", b"close"),
        ]
        for connection in list(self.server_state.connections):
            cycle = getattr(connection, "cycle", None)
            if cycle is not None and not cycle.response_started:
                connection.shutdown()  # in flight, with the headers of before: told by itself

    async def _drained(self) -> None:
        deadline = time.monotonic() + self._drain_seconds
        while self.server_state.connections and not self.force_exit:
            if time.monotonic() >= deadline:
                return
            await asyncio.sleep(_LOOK_SECONDS)

    async def _close_idle(self) -> None:
        """No request is cut off that has come in and was not read yet, as on a busy machine.

        Each connection is closed before the next one is looked at, which leaves a request
        hardly any time to come in between.
        """
        connections = list(self.server_state.connections)
        logger.info("Drained with %d connections left", len(connections))
        for connection in connections:
            if not _has_unread(connection.transport):
                connection.shutdown()
                await asyncio.sleep(0)  # uvloop closes it in its next round
        await asyncio.sleep(_LOOK_SECONDS)  # what was unread is in flight now


def _has_unread(transport: asyncio.BaseTransport) -> bool:
    """Whether bytes, or the client's end of it, have come in on an open connection."""
    if transport.is_closing():
        return False
    waiting = select.poll()
    waiting.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
    return bool(waiting.poll(0))


def _url(sock: socket.socket) -> str:
    address = sock.getsockname()
    if not isinstance(address, tuple):
        return f"unix:{address}"
    host, port = address[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
