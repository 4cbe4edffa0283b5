"""Two answers to one request -> what differs in them."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.parity import json_pointer
from deploy.parity.json_pointer import ABSENT
from deploy.parity.request import Request, shown
from deploy.question import Answer

_SHOWN = 60
NOTHING = "(none)"
"""Shown for what only the other side has."""
# Each is the connection's or the server's own, not the answer's.
UNHEEDED = {
    "date": "the moment of the answer",
    "server": "which program answers",
    "connection": "of one connection (RFC 9110, section 7.6.1)",
    "keep-alive": "of one connection (RFC 9110, section 7.6.1)",
    "transfer-encoding": "how the body travels; Lambda's answers are never chunked",
    "content-length": "how the body travels; the bodies themselves are compared",
    "x-request-id": "new for each request, unless the request brings one",
    "x-amzn-requestid": "Lambda's own, on every answer of a Function URL",
    "x-amzn-trace-id": "Lambda's own, on every answer of a Function URL",
}
"""Header names that are never compared, each with the reason."""


@dataclass(frozen=True)
class Difference:
    """`what` differs: 'status', 'header NAME', 'cookies', 'body', 'body POINTER', 'answer'."""

    what: str
    on_lambda: str
    on_instance: str


@dataclass(frozen=True)
class Ignored:
    """What the user does not want compared: names of headers, in lower case, and pointers."""

    headers: frozenset[str] = frozenset()
    pointers: tuple[str, ...] = ()


def differences(
    request: Request, on_lambda: Answer, on_instance: Answer, ignored: Ignored
) -> tuple[Difference, ...]:
    """What differs, the status first; nothing when the answers are equal."""
    if on_lambda.problem or on_instance.problem:
        return (Difference("answer", _said(on_lambda), _said(on_instance)),)
    return (
        *_status(on_lambda, on_instance),
        *_headers(on_lambda, on_instance, _unheeded(request) | ignored.headers),
        *_bodies(on_lambda, on_instance, ignored.pointers),
    )


def _said(answer: Answer) -> str:
    return answer.problem or str(answer.status)


def _status(on_lambda: Answer, on_instance: Answer) -> Iterator[Difference]:
    if on_lambda.status != on_instance.status:
        yield Difference("status", str(on_lambda.status), str(on_instance.status))


def _headers(
    on_lambda: Answer, on_instance: Answer, unheeded: frozenset[str]
) -> Iterator[Difference]:
    one, other = _by_name(on_lambda), _by_name(on_instance)
    for name in sorted({*one, *other} - unheeded):
        values, others = one.get(name, []), other.get(name, [])
        if values != others:
            what = "cookies" if name == "set-cookie" else f"header {name}"
            yield Difference(what, _values(values), _values(others))


def _unheeded(request: Request) -> frozenset[str]:
    names = set(UNHEEDED)
    if request.method == "HEAD":
        # The length of the body that GET has is part of the answer (RFC 9110, section 8.6).
        names.remove("content-length")
    if any(name.lower() == "x-request-id" for name, _ in request.headers):
        names.remove("x-request-id")
    return frozenset(names)


def _by_name(answer: Answer) -> dict[str, list[str]]:
    """The values of each name in order; between names no order is meant (RFC 9110, section 5.3)."""
    named: dict[str, list[str]] = {}
    for name, value in answer.headers:
        named.setdefault(name.lower(), []).append(value)
    return named


def _values(values: Sequence[str]) -> str:
    return " | ".join(shown(value) for value in values) if values else NOTHING


def _bodies(
    on_lambda: Answer, on_instance: Answer, pointers: Sequence[str]
) -> Iterator[Difference]:
    one, other = plain(on_lambda), plain(on_instance)
    if one == other:
        return
    values, others = _json(on_lambda, one), _json(on_instance, other)
    if values is ABSENT or others is ABSENT:
        yield _unequal_bytes(one, other)
        return
    try:
        found = list(json_pointer.differing(values, others))
    except RecursionError:
        yield _unequal_bytes(one, other)
        return
    if not found:  # of equal values only how they are written differs
        yield _unequal_bytes(one, other)
    for pointer, value, another in found:
        if not any(json_pointer.matches(pointer, wanted) for wanted in pointers):
            yield Difference(f"body {pointer}".rstrip(), _short(value), _short(another))


def plain(answer: Answer) -> bytes:
    """Its body, decompressed: gzip writes the time into what it makes (RFC 1952, MTIME)."""
    encoding = [v.strip().lower() for n, v in answer.headers if n.lower() == "content-encoding"]
    if encoding in (["gzip"], ["deflate"]):
        try:
            return _decompressed(answer.body)
        except zlib.error:
            return answer.body
    return answer.body


def _decompressed(body: bytes) -> bytes:
    """Of all members, one after the other (RFC 1952, section 2.2)."""
    content = []
    while body:
        member = zlib.decompressobj(zlib.MAX_WBITS | 32)
        content.append(member.decompress(body))
        if not member.eof:
            raise zlib.error("a member has no end")
        body = member.unused_data
    return b"".join(content)


def _json(answer: Answer, body: bytes) -> Any:
    types = [value for name, value in answer.headers if name.lower() == "content-type"]
    if not types or not re.match(
        r"application/(json|[^;]*\+json)\s*(;|$)", types[0], re.IGNORECASE
    ):
        return ABSENT
    try:
        return json.loads(body, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        return ABSENT


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """A pointer to a name that is there twice would show only the last (RFC 6901, section 4)."""
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a name is there twice")
    return made


def _unequal_bytes(one: bytes, other: bytes) -> Difference:
    """Shown from a little before the first byte that differs."""
    pairs = enumerate(zip(one, other, strict=False))
    first = next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
    return Difference("body", _excerpt(one, first), _excerpt(other, first))


def _excerpt(body: bytes, first: int) -> str:
    start = max(0, first - _SHOWN // 4)
    text = shown(body[start : start + _SHOWN].decode("latin-1"))
    before, after = "…" * (start > 0), "…" * (start + _SHOWN < len(body))
    return f"{before}{text}{after} ({len(body)} bytes)"


def _short(value: Any) -> str:
    text = NOTHING if value is ABSENT else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
