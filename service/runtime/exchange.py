"""One request and its whole response, as an ASGI application sees them.

The rules are those of uvicorn's RequestResponseCycle, so that an application that breaks
one meets the same error in both runtimes.
"""

import asyncio
import logging
import re
from functools import lru_cache
from typing import TypedDict

from service.runtime.asgi import Application, Message, Scope, status_of
from service.runtime.logs import REQUEST_ID

logger = logging.getLogger("service.request")


class Response(TypedDict):
    """A whole response: names in lower case, values in ISO-8859-1, hop-by-hop headers left out."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    header_bytes: int


class ReplyTooLargeError(OSError):
    """More was sent than the front end carries: the client is as good as gone."""


_control = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search  # RFC 9110, section 5.5
_unfit = re.compile(rb'[\x00-\x20\x7f()<>@,;:\[\]={}\\"]').search  # in a name, to uvicorn
_BODILESS = (204, 304)
# RFC 9110, section 7.6.1: of one connection, which here is the front end's; and what is ours.
_LEFT_OUT = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-request-id",
    )
)


class Exchange:
    """Gives an application the request's body and collects what it answers."""

    __slots__ = (
        "_body",
        "_chunked",
        "_chunks",
        "_complete",
        "_header_bytes",
        "_headers",
        "_limit",
        "_owed",
        "_request_id",
        "_started",
        "_status",
        "_taken",
        "_waiting",
        "_without_body",
        "too_large",
    )

    def __init__(self, method: str, body: bytes, limit: int, request_id: str) -> None:
        self._request_id = request_id
        self._without_body = method == "HEAD"
        self._body: bytes | None = body
        self._limit = limit
        self._started = False
        self._status = 0  # none yet, or none that is valid
        self._headers = [("x-request-id", request_id)]
        self._header_bytes = 0
        self._chunked = False
        self._owed: int | None = None  # by the response's content-length
        self._chunks: list[bytes] = []
        self._taken = 0
        self._complete = False
        self._waiting: asyncio.Future[None] | None = None
        self.too_large = False

    async def run(self, app: Application, scope: Scope) -> None:
        """The application has answered, or what it let through is logged: as under uvicorn
        SystemExit, too, or the cancellation of a task that it awaited."""
        # A request runs in a task, and so in a context, of its own.
        REQUEST_ID.set(self._request_id)
        try:
            await app(scope, self.receive, self.send)
        except GeneratorExit:
            raise
        except BaseException:
            logger.exception("%s %s failed", scope["method"], scope["path"])

    async def receive(self) -> Message:
        """The body, whole; and, once the response is complete, the disconnect."""
        if self._body is not None and not self._complete:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        if not self._complete:
            self._waiting = self._waiting or asyncio.get_running_loop().create_future()
            await asyncio.shield(self._waiting)
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """One message of the response; out of order, or not as HTTP allows, it is an error."""
        kind = message["type"]
        if self._complete:
            raise RuntimeError(f"Unexpected ASGI message {kind!r}: the response is complete.")
        expected = "http.response.body" if self._started else "http.response.start"
        if kind != expected:
            raise RuntimeError(f"Expected ASGI message {expected!r}, but got {kind!r}.")
        if self._started:
            body = message.get("body", b"")
            if type(body) is not bytes:
                body = b"".join((body,))
            self._take(body, message.get("more_body", False))
        else:
            status = status_of(message)  # if there is none, another start may follow
            self._started = True
            self._begin(message)
            self._status = status

    def response(self) -> Response | None:
        """The response; None if the application left it unfinished, or it is too large."""
        if self.too_large or not self._status:
            return None
        if not (self._complete or self._as_good_as_complete()):
            return None
        return {
            "status": self._status,
            "headers": self._headers,
            "body": b"".join(self._chunks),
            "header_bytes": self._header_bytes,
        }

    def _as_good_as_complete(self) -> bool:
        """Whether the client of an HTTP server would have all of it already."""
        if self._status in _BODILESS and self._owed is None:
            return True
        return self._without_body or self._owed == 0

    def _begin(self, message: Message) -> None:
        headers, size = self._headers, 0
        for name, value in message.get("headers", ()):
            key, special = _key(name)
            text = value.decode("latin-1")
            if not text.isprintable() and _control(text):  # the former is quicker
                raise RuntimeError(f"The value of the header {key!r} has a control character.")
            if special:
                if key == "transfer-encoding" and text.lower() == "chunked":
                    self._owed, self._chunked = None, True  # whatever a length says
                elif key == "content-length" and self._owed is None and not self._chunked:
                    self._owed = int(value)
                if key in _LEFT_OUT:
                    continue
            headers.append((key, text))
            size += len(key) + len(text)
        self._header_bytes = size

    def _take(self, body: bytes, more: bool) -> None:
        if self._without_body:
            self._owed = 0
        elif self._owed is not None:
            if len(body) > self._owed:
                raise RuntimeError("The body is longer than the content-length.")
            self._owed -= len(body)
        elif body and self._status in _BODILESS:
            raise RuntimeError(f"A response with status {self._status} has no body.")
        if body and not self._without_body:
            self._keep(body)
        if not more:
            if self._owed:
                raise RuntimeError("The body is shorter than the content-length.")
            self._complete = True
            if self._waiting is not None:
                self._waiting.set_result(None)

    def _keep(self, body: bytes) -> None:
        self._chunks.append(body)
        self._taken += len(body)
        if self._taken > self._limit:
            self.too_large = True
            self._chunks.clear()
            raise ReplyTooLargeError(f"The reply is over {self._limit:,} bytes.")


@lru_cache(maxsize=256)
def _key(name: bytes) -> tuple[str, bool]:
    """The name as it is kept, and whether it says something to us."""
    if not name or _unfit(name):
        raise RuntimeError(f"{name!r} is no name of a header.")
    key = name.lower().decode("latin-1")
    return key, key == "content-length" or key in _LEFT_OUT
