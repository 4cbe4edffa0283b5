"""Requests out of the bytes that a client sends, whatever becomes of those."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import httptools

from deploy.parity.request import Request, without_own

# Lambda takes at most 6 MB, so both sides can only be asked for less.
LARGEST_BODY = 6 * 1024 * 1024


class Heard(Protocol):
    """Who takes the requests; a Recording does."""

    def add(self, side: str, request: Request) -> None:
        """A whole request."""

    def leave_out(self, side: str, request: Request, reason: str) -> None:
        """A request that cannot be replayed."""


@dataclass
class _Message:
    target: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    length: int = 0
    headers_are_whole: bool = False


class Overheard:
    """Listens to one connection; bodies come without chunks, headers in order, as sent.

    Trailers, which stand after a body in chunks, are no headers (RFC 9110, section 6.5).

    What is no HTTP, or no longer, ends the listening, not the connection.
    """

    def __init__(self, side: str, heard: Heard) -> None:
        self._side = side
        self._heard = heard
        self._parser = httptools.HttpRequestParser(self)
        self._message = _Message()
        self._listens = True

    def feed(self, piece: bytes) -> None:
        """The next bytes of the client."""
        if not self._listens:
            return
        try:
            self._parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            self._listens = False
        except httptools.HttpParserError:
            self._listens = False

    def on_message_begin(self) -> None:
        """httptools calls it, like the five below."""
        self._message = _Message()

    def on_url(self, part: bytes) -> None:
        """A part of the target."""
        self._message.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, or a trailer."""
        if not self._message.headers_are_whole:
            self._message.headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """The body follows."""
        self._message.headers_are_whole = True

    def on_body(self, part: bytes) -> None:
        """A part of the body."""
        self._message.length += len(part)
        if self._message.length <= LARGEST_BODY:
            self._message.body += part

    def on_message_complete(self) -> None:
        """The request is whole."""
        message = self._message
        request = Request(
            self._parser.get_method().decode("latin-1"),
            message.target.decode("latin-1"),
            without_own(tuple(message.headers)),
            bytes(message.body),
        )
        if reason := self._reason(request):
            self._heard.leave_out(self._side, request, reason)
        else:
            self._heard.add(self._side, request)

    def _reason(self, request: Request) -> str:
        if self._parser.should_upgrade():
            return "it leaves HTTP, and Lambda cannot"
        if self._message.length > LARGEST_BODY:
            return f"its body has {self._message.length} bytes, more than Lambda takes"
        if not request.target.startswith("/"):
            return "it names no path"
        return ""


Listener = Callable[[], Overheard]
"""A new one for each connection."""
