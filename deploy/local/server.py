"""HTTP servers on loopback inside this program: one asyncio loop in a thread of its own.

The main thread stays free for the console and for Ctrl-C.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import threading
from collections.abc import AsyncIterator, Coroutine
from types import TracebackType
from typing import Any, TypeVar

import uvicorn
from starlette.types import ASGIApp

from deploy.errors import LocalError
from deploy.local.embedded_aws import LOOPBACK

T = TypeVar("T")

_POLL_SECONDS = 0.005


class Background:
    """A context manager: an asyncio loop that runs in a thread, and ends with the block."""

    def __enter__(self) -> Background:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.run(_cancel_others())
        self.run(self.loop.shutdown_default_executor())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What the coroutine gives, waited for; it runs in the loop's thread.

        Interrupted, it is cancelled and has ended before the interrupt goes on.
        """
        future = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def listen(port: int, flag: str) -> socket.socket:
    """A listening socket on loopback; port 0 takes a free one.

    Raises:
        LocalError: the port is in use, or only root may have it; `flag` sets another.
    """
    # With the protocol named asyncio sets TCP_NODELAY; without it each answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen(128)
        return listener
    except OSError as error:
        listener.close()
        why = "in use" if error.errno == errno.EADDRINUSE else f"not to be had ({error.strerror})"
        raise LocalError(
            f"Port {port} on {LOOPBACK} is {why}. Stop what uses it or pass {flag} with another."
        ) from None


@contextlib.asynccontextmanager
async def serving(app: ASGIApp, listener: socket.socket) -> AsyncIterator[None]:
    """While the block runs, `app` answers on the socket; then the socket is closed.

    Requests still open at the end are cancelled.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        ws="none",  # else it takes an upgrade itself wherever a library for that is installed
        timeout_graceful_shutdown=0,
    )
    # It reports each request that it cancels as an error; here that is the plan.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not (server.started or task.done()):
            await asyncio.sleep(_POLL_SECONDS)
        yield
    finally:
        server.should_exit = True
        await asyncio.shield(task)
        listener.close()
