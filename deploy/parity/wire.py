"""EDGE: a request to one side exactly as it was written, and what the side answers.

Not deploy.question: that minds what it sends, as a client should; here odd bytes are the point.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import time
from urllib.parse import urlsplit

from deploy.parity.request import Headers, Request, brief
from deploy.question import Answer

TIMEOUT_SECONDS = 60.0
_PIECE_BYTES = 65_536


class _BrokenOffError(Exception):
    """An answer began and did not end."""

    def __init__(self, status: int, headers: Headers, body: bytes) -> None:
        super().__init__(f"{status}, broken off after {len(body)} bytes of its body")
        self.status, self.headers, self.body = status, headers, body


def ask(side: str, url: str, request: Request, seconds: float = TIMEOUT_SECONDS) -> Answer:
    """The side's answer; redirects are shown, not followed. Never raises for the network.

    Args:
        url: of the side; its path is not used.
        seconds: for the whole of it.
    """
    start = time.monotonic()
    try:
        status, headers, body = _exchange(url, request, start + seconds)
    except _BrokenOffError as error:
        seconds = time.monotonic() - start
        return Answer(side, url, error.status, error.headers, error.body, seconds, str(error))
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Answer(side, url, 0, (), b"", time.monotonic() - start, _reason(error, seconds))
    return Answer(side, url, status, headers, body, time.monotonic() - start)


def _reason(error: Exception, seconds: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no whole answer within {seconds:g} s"
    if isinstance(error, http.client.BadStatusLine) and not isinstance(error, ConnectionError):
        return f"what came is no HTTP response: {brief(str(error).strip())!r}"
    return str(error) or type(error).__name__


def _exchange(url: str, request: Request, deadline: float) -> tuple[int, Headers, bytes]:
    parts = urlsplit(url)
    with _connected(parts.scheme, parts.hostname or "", parts.port, deadline) as connection:
        # It may have answered, 413 for one, without waiting for the end of the body.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(encoded(request, parts.netloc))
        answer = http.client.HTTPResponse(connection, method=request.method)
        answer.begin()
        return _whole(answer, connection, deadline)


def _connected(scheme: str, host: str, port: int | None, deadline: float) -> socket.socket:
    secure = scheme == "https"
    address = (host, port or (443 if secure else 80))
    connection = socket.create_connection(address, _left(deadline))
    if not secure:
        return connection
    return ssl.create_default_context().wrap_socket(connection, server_hostname=host)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _whole(
    answer: http.client.HTTPResponse, on: socket.socket, deadline: float
) -> tuple[int, Headers, bytes]:
    headers = tuple(answer.getheaders())
    body = bytearray()
    try:
        # Piece by piece, so that an answer without an end has one.
        while piece := answer.read1(_PIECE_BYTES):
            body += piece
            on.settimeout(_left(deadline))
        broke_off = bool(answer.length)
    except (http.client.IncompleteRead, ConnectionResetError):
        broke_off = True
    if broke_off:
        raise _BrokenOffError(answer.status, headers, bytes(body))
    return answer.status, headers, bytes(body)


def encoded(request: Request, host: str) -> bytes:
    """The bytes that go out; headers in their order, after Host.

    The body is framed as its own headers say, in one chunk if they say chunked (RFC 9112,
    section 6), else by its length.
    """
    chunked = any(
        name.lower() == "transfer-encoding" and "chunked" in value.lower()
        for name, value in request.headers
    )
    headers = [("Host", host), *request.headers]
    body = request.body
    if chunked:
        body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
    elif body or request.method in ("POST", "PUT", "PATCH"):
        headers.append(("Content-Length", str(len(body))))
    lines = [f"{request.method} {request.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body
