"""The types of an ASGI application (ASGI specification 3.0), and what they leave open."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def status_of(start: Message) -> int:
    """The status in the first message of a response.

    Raises:
        RuntimeError: HTTP has no such status (RFC 9110, section 15).
    """
    status = start["status"]
    if not (isinstance(status, int) and 100 <= status < 600):
        raise RuntimeError(f"The status is {status!r}; expected a number from 100 to 599.")
    return int(status)
