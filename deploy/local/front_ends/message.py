"""A request and a response, as they are on the wire, and what a front end makes of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

Headers = Sequence[tuple[str, str]]
Event = dict[str, Any]


@dataclass(frozen=True)
class HttpRequest:
    """A request as it came in; each string holds one character for each byte (latin-1).

    `path` and `query` are still percent-encoded, `query` is what follows the first "?".
    """

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    client: str
    protocol: str = "HTTP/1.1"

    def last(self, name: str, default: str = "") -> str:
        """The last value of the header; `name` in lower case."""
        values = [value for one, value in self.headers if one.lower() == name]
        return values[-1] if values else default


@dataclass(frozen=True)
class HttpResponse:
    """What the caller gets."""

    status: int
    headers: Headers = field(default=())
    body: bytes = b""


@dataclass(frozen=True)
class Moment:
    """What sets one request apart from an equal one: when it came, and its ID."""

    now: datetime
    request_id: str

    @property
    def clock(self) -> str:
        """As in an access log: 12/Mar/2026:19:03:58 +0000."""
        return self.now.astimezone(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")

    @property
    def epoch(self) -> int:
        """Unix time in milliseconds."""
        return int(self.now.timestamp() * 1000)

    @property
    def trace(self) -> str:
        """A tracing header (AWS X-Ray Developer Guide, "Tracing header")."""
        return (
            f"Root=1-{int(self.now.timestamp()):08x}-{self.request_id.replace('-', '')[:24]:0>24}"
        )


class FrontEnd(Protocol):
    """One front end, as it is set up."""

    @property
    def name(self) -> str: ...

    def event(self, request: HttpRequest, moment: Moment) -> Event | HttpResponse:
        """The event that the function gets, or the answer that it never hears of."""

    def response(self, request: HttpRequest, result: bytes) -> HttpResponse:
        """The response to a request, made of the JSON that the function gave."""

    def failure(self) -> HttpResponse:
        """The response to a request whose invocation failed."""


def as_json(status: int, document: object) -> HttpResponse:
    """A short answer of a front end's own."""
    return HttpResponse(
        status, (("content-type", "application/json"),), json.dumps(document).encode()
    )
