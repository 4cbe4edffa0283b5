"""A careless application: what a request holds goes into the response, unchecked.

So that whatever a front end lets through has a way out.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from service.runtime.asgi import Receive, Scope, Send
from service.runtime.events import EventRouter

Pairs = list[tuple[bytes, bytes]]
SOURCES = ("aws:sqs", "aws:s3", "aws:sns", "aws:dynamodb", "aws:kinesis", "aws.events")
TURNS = 5
MOST = 20  # complaints that are kept of one request

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_UNSAFE = re.compile(rb"[\0\r\n]").search


@dataclass(frozen=True)
class Sent:
    """What the application answered with."""

    method: str
    status: int
    headers: Pairs
    body: bytes


@dataclass
class Echo:
    """`turn` decides what of the request goes where; it goes on by itself."""

    turn: int = 0
    sent: Sent | None = None
    complaints: list[str] = field(default_factory=list)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError("no lifespan")
        body = (await receive())["body"]
        self.complaints += itertools.islice(complaints(scope, body), MOST)
        self.sent = _answer(self.turn % TURNS, scope, body)
        self.turn += 1
        await send(
            {
                "type": "http.response.start",
                "status": self.sent.status,
                "headers": self.sent.headers,
            }
        )
        await send({"type": "http.response.body", "body": self.sent.body, "more_body": False})


def _answer(turn: int, scope: Scope, body: bytes) -> Sent:
    path, query = _bytes(scope["path"]), scope["query_string"]
    text = (b"content-type", b"text/plain; charset=utf-8")
    method, asked = scope["method"], [(bytes(n), bytes(v)) for n, v in scope["headers"]]
    match turn:
        case 0:
            return Sent(method, 200, [text], b"\n".join([_bytes(method), path, query, body]))
        case 1:
            values = [(b"x-%d" % at, value) for at, (_, value) in enumerate(asked)]
            return Sent(method, 200, [text, (b"x-path", path), (b"x-query", query), *values], body)
        case 2:
            return Sent(method, 200, asked, body)
        case 3:
            cookies = [(b"set-cookie", value) for _, value in asked]
            return Sent(method, 302, [(b"location", path), *cookies], b"")
    return Sent(method, 200, [(b"content-type", body[:40])], body + path)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def complaints(scope: Scope, body: object) -> Iterator[str]:
    """What the HTTP server would never give an application (ASGI specification, HTTP scope).

    uvicorn answers 400 to a request that has such a method, target or header.
    """
    for name, of in _TYPES.items():
        if not isinstance(scope[name], of):
            yield f"the scope's {name} has another type: {scope[name]!a:.80}"
    if not isinstance(body, bytes):
        yield f"the request's body has another type: {body!a:.80}"
    yield from _line_complaints(scope)
    for name, value in scope["headers"]:
        if not _TOKEN(name) or name != name.lower():
            yield f"no header's name in the scope: {name[:60]!r}"
        if _UNSAFE(value):
            yield f"no header's value in the scope: {value[:60]!r}"
    for party in ("client", "server"):
        if not _is_address(scope[party]):
            yield f"the scope's {party} is no address: {scope[party]!a:.80}"


_TYPES: dict[str, Any] = {
    "method": str,
    "path": str,
    "raw_path": bytes | None,
    "query_string": bytes,
    "scheme": str,
    "http_version": str,
    "root_path": str,
    "headers": list | tuple,
    "state": dict,
}


def _line_complaints(scope: Scope) -> Iterator[str]:
    if not _TOKEN(_bytes(str(scope["method"]))):
        yield f"no method in the scope: {scope['method']!a:.80}"
    if scope["scheme"] not in ("http", "https"):
        yield f"no scheme in the scope: {scope['scheme']!a:.80}"
    if re.search(rb"[\0-\x20\x7f]", scope["query_string"]):
        yield f"no query string in the scope: {scope['query_string'][:60]!r}"
    if re.search(rb"[\0-\x20\x7f?#]", scope["raw_path"] or b""):
        yield f"no raw path in the scope: {scope['raw_path'][:60]!r}"
    if not str(scope["path"]).startswith("/") and scope["path"] != "*":
        yield f"no path in the scope: {scope['path']!a:.80}"


def _is_address(party: object) -> bool:
    match party:
        case None | [str(), None]:
            return True
        case [str(), int(port)]:
            return 0 <= port <= 65_535
    return False


def router() -> EventRouter:
    """Takes every source of the valid events, and direct invocations."""
    events = EventRouter()
    for source in SOURCES:
        events.on(source)(_taken)
    events.invoke(_taken)
    return events


async def _taken(_: object) -> None:
    """The reply that every source understands."""
