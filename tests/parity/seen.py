"""What a case made visible, in a form that can be compared: one mapping, from a name to a value."""

from __future__ import annotations

import json
from typing import Any

from tests.parity.case import Answer, Case

Seen = dict[str, Any]
Pairs = list[list[str]]

# Headers that are not compared, and why.
RESPONSE_IGNORED = {
    "date": "each server says when it answered",
    "server": "each server says what it is",
    "connection": "speaks of one connection",
    "keep-alive": "speaks of one connection",
    "transfer-encoding": "speaks of one connection: how the body is framed",
    "content-length": "compared apart, where both sides name it",
}
REQUEST_IGNORED = {
    "x-forwarded-for": "the front end adds it",
    "x-forwarded-proto": "the front end adds it",
    "x-forwarded-port": "the front end adds it",
    "x-amzn-trace-id": "the front end adds it",
    "connection": "speaks of one connection",
    "upgrade": "speaks of one connection",
}


def seen(case: Case, answer: Answer) -> Seen:
    """Status, headers and body of the answer; of a mirror, what it shows in the body's place."""
    found: Seen = {
        "cut": answer.cut,
        "status": answer.status,
        "reply headers": _lower(answer.headers, RESPONSE_IGNORED),
        "content-length": [v for n, v in answer.headers if n.lower() == "content-length"],
    }
    if case.mirrors and answer.status == 200 and case.method != "HEAD":
        return found | _mirrored(answer.body)
    return found | {"reply body": answer.body}


def _mirrored(body: bytes) -> Seen:
    shown = json.loads(body)
    shown["headers"] = _lower(shown["headers"], REQUEST_IGNORED)
    shown["client port"] = (shown.get("client") or [None, None])[1]
    shown["client"] = (shown.get("client") or [None])[0]
    return dict(shown)


def _lower(pairs: Any, ignored: dict[str, str]) -> Pairs:
    """Names in lower case, which mean the same (RFC 9110, section 5.1)."""
    return [[name.lower(), value] for name, value in pairs if name.lower() not in ignored]


def unequal(one: Seen, other: Seen) -> dict[str, tuple[Any, Any]]:
    """The names under which the two are not the same; a length counts only if both name one."""
    names = [name for name in {**one, **other} if one.get(name) != other.get(name)]
    found = {name: (one.get(name), other.get(name)) for name in names}
    if not (one.get("content-length") and other.get("content-length")):
        found.pop("content-length", None)
    return found
