"""A request ID and a log line for every request of the HTTP server, as plain ASGI.

On Lambda the exchange and the adapter do the same with less.
"""

import asyncio
import itertools
import logging
import os
import re
import time
from collections.abc import Awaitable, Iterable
from typing import TextIO

from service.runtime.asgi import Application, Message, Receive, Scope, Send, status_of
from service.runtime.logs import REQUEST_ID
from service.runtime.request_lines import Ended, RequestLines
from service.settings import Settings

logger = logging.getLogger("service.request")

_well_formed = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:;=@+/-]{0,199}").fullmatch
_numbers = itertools.count(int.from_bytes(os.urandom(8), "big") >> 1)  # processes are far apart
_SERVER_ERROR: tuple[Message, Message] = (
    {
        "type": "http.response.start",
        "status": 500,
        "headers": [
            (b"content-length", b"21"),
            (b"content-type", b"text/plain; charset=utf-8"),
        ],
    },
    {"type": "http.response.body", "body": b"Internal Server Error", "more_body": False},
)


class RequestLog:
    """`respond` is an application whose every response carries `x-request-id` and leaves one line.

    The line is written together with those of the other requests that end in the same
    turn of the event loop. An exception that the application lets through, SystemExit too as under
    uvicorn, is logged with its request ID, and answered with 500 if nothing was sent yet;
    once a reply has begun it goes on to the server, which logs it again and cuts the reply
    off. An application that sends nothing at all is answered with 500, too.
    """

    def __init__(self, app: Application, settings: Settings, stream: TextIO | None = None) -> None:
        self._app = app
        self._lines = RequestLines(settings, stream)
        self._ended: list[Ended] = []

    async def respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = request_id_of(scope["headers"])
        REQUEST_ID.set(request_id)  # each request runs in a task, and so in a context, of its own
        response = _Response(send, request_id)
        try:
            try:
                await self._app(scope, receive, response.send)
                if not response.status:
                    await self._unanswered(scope, response)
            except BaseException as error:
                await self._failed(scope, response, error)
            finally:
                seconds = time.perf_counter() - started
                asked = scope["method"], scope["path"]
                self._ended.append((*asked, response.status, request_id, time.time(), seconds))
        except BaseException:  # after which the loop may take no turn
            self._write()
            raise
        if len(self._ended) == 1:
            asyncio.get_running_loop().call_soon(self._write)

    async def _unanswered(self, scope: Scope, response: "_Response") -> None:
        logger.error("%s %s got no response", scope["method"], scope["path"])
        await _refuse(response)

    async def _failed(self, scope: Scope, response: "_Response", error: BaseException) -> None:
        if _is_end_of_task(error):
            raise error
        logger.error("%s %s failed", scope["method"], scope["path"], exc_info=error)
        if response.complete:
            return
        if response.status:
            response.status = 0
            raise error  # the server must cut the reply off
        await _refuse(response)

    def _write(self) -> None:
        ended, self._ended = self._ended, []
        self._lines.write_together(ended)


class _Response:
    """What the application sends, with the request ID added and the status kept."""

    __slots__ = ("_identity", "_send", "complete", "status")

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._identity = (b"x-request-id", request_id.encode())
        self.status = 0
        self.complete = False

    def send(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            self.status = status_of(message)  # uvicorn would close the connection, with no answer
            headers = [self._identity]
            for pair in message.get("headers", ()):
                if pair[0].lower() != b"x-request-id":
                    headers.append(pair)
            message = {**message}  # the application may send the same message again
            message["headers"] = headers
        elif message["type"] == "http.response.body" and self.status:
            self.complete = not message.get("more_body")
        return self._send(message)


def _is_end_of_task(error: BaseException) -> bool:
    """Whether it is the request's own task that ends, and not one that it waits for."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0
    return isinstance(error, GeneratorExit)


async def _refuse(response: _Response) -> None:
    for message in _SERVER_ERROR:
        await response.send(message)


def request_id_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """A well-formed one of the caller's; else a new one.

    None of them needs escaping in JSON, nor does Lambda's own, which is a UUID.
    """
    trace = None
    for name, value in headers:
        if name == b"x-request-id" and _well_formed(value):
            return str(value, "ascii")
        if name == b"x-amzn-trace-id" and _well_formed(value):
            trace = value
    return hex(next(_numbers)) if trace is None else str(trace, "ascii")
