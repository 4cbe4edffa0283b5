"""EDGE: one HTTP question to one side of the service, and its answer."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class Question:
    """A request without its host; `path` may hold a query string."""

    path: str = "/"
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What a side answered; `problem` says why when it did not, and `status` is then 0."""

    side: str
    url: str
    status: int
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes
    seconds: float
    problem: str = ""

    @property
    def succeeded(self) -> bool:
        """It answered, and not that it failed (5xx); a 404 is an answer."""
        return not self.problem and self.status < http.HTTPStatus.INTERNAL_SERVER_ERROR


def ask(side: str, base_url: str, question: Question, timeout: float = TIMEOUT_SECONDS) -> Answer:
    """The side's answer; redirects are shown, not followed. Never raises for the network."""
    url = base_url.rstrip("/") + "/" + question.path.lstrip("/")
    start = time.monotonic()
    try:
        status, headers, body = _exchange(url, question, timeout)
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = str(error) or type(error).__name__
        return Answer(side, url, 0, (), b"", time.monotonic() - start, reason)
    return Answer(side, url, status, headers, body, time.monotonic() - start)


def _exchange(
    url: str, question: Question, timeout: float
) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=timeout)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        _send(connection, question, target)
        answer = connection.getresponse()
        return answer.status, tuple(answer.getheaders()), answer.read()
    finally:
        connection.close()


def _send(connection: http.client.HTTPConnection, question: Question, target: str) -> None:
    # Not request(): that takes a dict, and the same header may be given twice.
    given = {name.lower() for name, _ in question.headers}
    connection.putrequest(
        question.method,
        target,
        skip_host="host" in given,
        skip_accept_encoding="accept-encoding" in given,
    )
    for name, value in question.headers:
        connection.putheader(name, value)
    if "content-length" not in given and (question.body or _has_body(question.method)):
        connection.putheader("Content-Length", str(len(question.body)))
    connection.endheaders(question.body or None)


def _has_body(method: str) -> bool:
    return method in ("POST", "PUT", "PATCH")


def headers_of(lines: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """'Name: value' lines as pairs.

    Raises:
        ValueError: a line has no colon or no name.
    """
    pairs = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise ValueError(f"header {line!r}; expected a form like 'Accept: text/plain'")
        pairs.append((name.strip(), value.strip()))
    return tuple(pairs)
