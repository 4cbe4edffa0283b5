"""The ways in which a list of headers, or of parameters, becomes a JSON object."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote_plus

from deploy.local.front_ends.message import Headers

Pairs = Iterable[tuple[str, str]]


def joined(pairs: Pairs) -> dict[str, str]:
    """Values of one name are joined by commas, at the place of the first."""
    found: dict[str, str] = {}
    for name, value in pairs:
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def listed(pairs: Pairs) -> dict[str, list[str]]:
    """All values of one name, in their order, at the place of the first."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def lower(headers: Headers) -> list[tuple[str, str]]:
    """Names in lower case."""
    return [(name.lower(), value) for name, value in headers]


def one_spelling(headers: Headers) -> list[tuple[str, str]]:
    """Each name as it was spelled the first time."""
    spelled: dict[str, str] = {}
    return [(spelled.setdefault(name.lower(), name), value) for name, value in headers]


def without(headers: Headers, *names: str) -> list[tuple[str, str]]:
    """The headers of other names; `names` in lower case."""
    return [(name, value) for name, value in headers if name.lower() not in names]


def cookies(headers: Headers) -> list[str]:
    """Each cookie of each Cookie header."""
    sent = (value for name, value in headers if name.lower() == "cookie")
    return [part.strip() for value in sent for part in value.split(";") if part.strip()]


def parameters(query: str) -> list[tuple[str, str]]:
    """The parameters of a query, still percent-encoded; `flag` has an empty value."""
    split = (part.partition("=") for part in query.split("&") if part)
    return [(name, value) for name, _, value in split]


def decoded(pairs: Pairs) -> list[tuple[str, str]]:
    """Without percent-encoding, "+" being a space."""
    return [(unquote_plus(name), unquote_plus(value)) for name, value in pairs]
