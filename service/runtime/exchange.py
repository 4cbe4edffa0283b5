"""One request and its whole response, as an ASGI application sees them."""

import asyncio
import logging
from typing import TypedDict

from service.runtime.asgi import Application, Message, Scope

logger = logging.getLogger("service.request")


class Response(TypedDict):
    """A whole response, in the form that Mangum's handlers take."""

    status: int
    headers: list[list[bytes]]
    body: bytes


_FAILURE: Response = {
    "status": 500,
    "headers": [[b"content-type", b"text/plain; charset=utf-8"]],
    "body": b"Internal Server Error",
}


class Exchange:
    """Gives an application the request's body and collects what it answers."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self._start: Message | None = None
        self._chunks: list[bytes] = []
        self._complete = False
        self._waiting: asyncio.Future[None] | None = None

    async def run(self, app: Application, scope: Scope) -> None:
        """The application has answered, or has given up and left a log line."""
        try:
            await app(scope, self.receive, self.send)
        except (Exception, asyncio.CancelledError):  # the latter of a task that it awaited
            logger.exception("%s %s was cut off", scope["method"], scope["path"])

    async def receive(self) -> Message:
        """The body, whole; then, once the response is complete, the disconnect."""
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        if not self._complete:
            self._waiting = self._waiting or asyncio.get_running_loop().create_future()
            await asyncio.shield(self._waiting)
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """One message of the response; out of order, it is the application's error."""
        expected = "http.response.start" if self._start is None else "http.response.body"
        if self._complete or message["type"] != expected:
            raise RuntimeError(f"Unexpected ASGI message {message['type']!r}.")
        if self._start is None:
            self._start = message
            return
        self._chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            self._finish()

    def response(self) -> Response:
        """The whole response; 500 if the application left it unfinished."""
        if self._start is None or not self._complete:
            return _FAILURE
        headers = [[name, value] for name, value in self._start.get("headers", ())]
        return {
            "status": self._start["status"],
            "headers": headers,
            "body": b"".join(self._chunks),
        }

    def _finish(self) -> None:
        self._complete = True
        if self._waiting is not None:
            self._waiting.set_result(None)
