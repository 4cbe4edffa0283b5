"""EDGE: one request passed on to the embedded AWS as it came, and its answer as it comes.

With h11, which uvicorn brings: neither body is ever held whole, many requests take no
threads, and a caller that goes away takes its request with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TypeAlias
from urllib.parse import urlsplit

import h11
from starlette.requests import Request
from starlette.types import Send

from deploy.errors import LocalError

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]

_CHUNK = 1 << 16
_HEAD_LIMIT = 1 << 16
# Of one connection only (RFC 9110, "Connection"); Expect has been answered on this side.
_HOP = frozenset([b"connection", b"keep-alive", b"te", b"upgrade", b"expect"])
# The server on this side frames and dates its answers itself.
_FRAMING = frozenset([*_HOP, b"transfer-encoding", b"date"])
_LENGTHS = frozenset([b"content-length", b"transfer-encoding"])


class UnreachableError(LocalError):
    """The embedded AWS does not answer."""


@dataclass(frozen=True)
class Head:
    """A request without its body; `target` is path and query string as they were sent."""

    method: str
    target: bytes
    headers: Headers


@dataclass(frozen=True)
class Reply:
    """An answer whose body is still to come."""

    status: int
    headers: Headers
    body: AsyncIterator[bytes]


@dataclass(frozen=True)
class Answer:
    """A whole answer."""

    status: int
    body: bytes


def head_of(request: Request) -> Head:
    """The request as it came."""
    scope = request.scope
    query = b"?" + scope["query_string"] if scope["query_string"] else b""
    return Head(request.method, scope["raw_path"] + query, scope["headers"])


class Upstream:
    """The embedded AWS at an endpoint such as http://127.0.0.1:4566."""

    def __init__(self, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        self._endpoint = endpoint
        self._address = (parts.hostname, parts.port)

    async def pass_on(self, request: Request, send: Send) -> None:
        """The caller has the answer.

        Raises:
            UnreachableError: nobody answers; nothing has been sent then.
        """
        async with self._asked(head_of(request), request.stream()) as reply:
            start = {"status": reply.status, "headers": reply.headers}
            await send({"type": "http.response.start", **start})
            async for chunk in reply.body:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body"})

    async def ask(self, head: Head, body: bytes) -> Answer:
        """The answer to this body instead of the one that `head` tells the length of.

        Raises:
            UnreachableError: nobody answers.
        """
        others = [pair for pair in head.headers if pair[0] not in _LENGTHS]
        length = (b"content-length", str(len(body)).encode())
        async with self._asked(replace(head, headers=[*others, length]), _once(body)) as reply:
            return Answer(reply.status, b"".join([chunk async for chunk in reply.body]))

    @asynccontextmanager
    async def _asked(self, head: Head, body: AsyncIterator[bytes]) -> AsyncIterator[Reply]:
        try:
            reader, writer = await asyncio.open_connection(*self._address)
        except OSError as error:
            raise self._silent(error) from error
        try:
            connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_LIMIT)
            try:
                await _send(connection, writer, head, body)
                response = await _response(connection, reader)
            except (OSError, h11.RemoteProtocolError) as error:
                raise self._silent(error) from error
            headers = [pair for pair in response.headers if pair[0] not in _FRAMING]
            yield Reply(response.status_code, headers, _body(connection, reader))
        finally:
            writer.close()

    def _silent(self, error: Exception) -> UnreachableError:
        return UnreachableError(f"The embedded AWS at {self._endpoint} does not answer: {error}.")


async def _send(
    connection: h11.Connection,
    writer: asyncio.StreamWriter,
    head: Head,
    body: AsyncIterator[bytes],
) -> None:
    headers = [pair for pair in head.headers if pair[0] not in _HOP]
    headers.append((b"connection", b"close"))
    request = h11.Request(method=head.method, target=head.target, headers=headers)
    writer.write(connection.send(request) or b"")
    async for chunk in body:
        writer.write(connection.send(h11.Data(chunk)) or b"")
        await writer.drain()
    writer.write(connection.send(h11.EndOfMessage()) or b"")
    await writer.drain()


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def _response(connection: h11.Connection, reader: asyncio.StreamReader) -> h11.Response:
    while not isinstance(event := await _next(connection, reader), h11.Response):
        pass
    return event


async def _body(connection: h11.Connection, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while isinstance(event := await _next(connection, reader), h11.Data):
        yield bytes(event.data)


async def _next(connection: h11.Connection, reader: asyncio.StreamReader) -> object:
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await reader.read(_CHUNK))
    return event
