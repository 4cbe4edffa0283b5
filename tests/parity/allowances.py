"""What each known difference makes of two sights of one case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import unquote_plus

from deploy.local.front_ends.headers import cookies, parameters
from deploy.local.front_ends.http_api import twice_decoded
from deploy.local.front_ends.load_balancer import HOP_BY_HOP
from deploy.local.front_ends.rest_api import (
    DROPPED_FROM_REQUEST,
    DROPPED_FROM_RESPONSE,
    REMAPPED,
)
from deploy.parity import known
from deploy.parity.known import Known
from tests.parity.case import Case
from tests.parity.seen import Pairs, Seen

Sights = tuple[Seen, Seen]
Allowance = Callable[[Case, Seen, Seen], Sights]
_ERROR = 500
_NEAR_LIMIT = 500_000  # bytes, of which each may take two in JSON


def _both(change: Callable[[Seen], Seen]) -> Allowance:
    return lambda _case, instance, function: (change(instance), change(function))


def _without(*names: str) -> Allowance:
    return _both(lambda one: {k: v for k, v in one.items() if k not in names})


def _pairs(key: str, change: Callable[[Pairs], Pairs]) -> Allowance:
    def changed(one: Seen) -> Seen:
        return one | {key: change(one[key])} if key in one else one

    return _both(changed)


def grouped(pairs: Pairs) -> Pairs:
    """Pairs of one name stand together, at the place of the first."""
    order = list(dict.fromkeys(name for name, _ in pairs))
    return [pair for one in order for pair in pairs if pair[0] == one]


def last(pairs: Pairs) -> Pairs:
    """The last of each name, at the place of the first."""
    return [[name, value] for name, value in {name: value for name, value in pairs}.items()]  # noqa: C416 - a dict keeps the first place


def split(pairs: Pairs) -> Pairs:
    """Each member of a list in commas is a pair of its own; set-cookie is no list."""
    return grouped(list(_members(pairs)))


def _members(pairs: Pairs) -> Iterator[list[str]]:
    for name, value in pairs:
        members = [value] if name == "set-cookie" else value.split(",")
        yield from ([name, member.strip(" \t")] for member in members)


def sorted_by_name(pairs: Pairs) -> Pairs:
    """Pairs of one name keep their order, which alone has a meaning (RFC 9110, section 5.3)."""
    return sorted(pairs, key=lambda pair: pair[0])


def _cookies_apart(one: Seen) -> Seen:
    if "headers" not in one:
        return one
    others = [pair for pair in one["headers"] if pair[0] != "cookie"]
    return one | {"headers": others, "cookies": cookies(one["headers"])}


def _dropped(*names: str) -> Callable[[Pairs], Pairs]:
    return lambda pairs: [pair for pair in pairs if pair[0] not in names]


def _whatever_the(name: str) -> Callable[[Pairs], Pairs]:
    return lambda pairs: [[one, "" if one == name else value] for one, value in pairs]


def _query(change: Callable[[Pairs], Pairs]) -> Allowance:
    """The query as pairs, which a change before may have made of it."""

    def changed(one: Seen) -> Seen:
        if "query_string" not in one:
            return one
        asked = one["query_string"]
        pairs = [list(p) for p in parameters(asked)] if isinstance(asked, str) else asked
        return one | {"query_string": change(pairs)}

    return _both(changed)


def _decoded(pairs: Pairs) -> Pairs:
    return grouped([[unquote_plus(name), unquote_plus(value)] for name, value in pairs])


def _path_decoded(case: Case, instance: Seen, function: Seen) -> Sights:
    """What the instance sees is what the HTTP API leaves of it; where that is nothing, all goes."""
    path = twice_decoded(case.path)
    if path is None:
        return ({}, {}) if function["status"] == 400 else (instance, function)
    if "path" not in instance or "path" not in function:
        return instance, function
    told = instance | {"path": path, "raw_path": ""}
    return told, function | {"raw_path": ""}


def _default_type(_case: Case, instance: Seen, function: Seen) -> Sights:
    if any(name == "content-type" for name, _ in instance["reply headers"]):
        return instance, function
    added = (["content-type", "application/json"], ["content-type", "application/octet-stream"])
    kept = [pair for pair in function["reply headers"] if pair not in added]
    return instance, function | {"reply headers": kept}


def _cut_off(_case: Case, instance: Seen, function: Seen) -> Sights:
    failed = function["status"] >= _ERROR
    return ({}, {}) if instance["cut"] and failed else (instance, function)


def _empty_length(case: Case, instance: Seen, function: Seen) -> Sights:
    if case.method != "HEAD" and instance["status"] not in (204, 304):
        return instance, function
    return instance | {"content-length": []}, function | {"content-length": []}


def _too_large(case: Case, instance: Seen, function: Seen) -> Sights:
    """Only of bodies near the smallest limit and above."""
    refused = function["status"] in (413, 507)
    large = max(len(case.body), len(instance.get("reply body", b""))) > _NEAR_LIMIT
    return ({}, {}) if refused and large else (instance, function)


def _upgrade(case: Case, instance: Seen, function: Seen) -> Sights:
    asked = any(name.lower() == "upgrade" for name, _ in case.headers)
    return ({}, {}) if asked and function["status"] == 400 else (instance, function)


# In the order in which they are tried; not MODE, which is of one route of the service as shipped,
# nor OWN_HOST, as here both are asked at the same one.
ALLOWANCES: tuple[tuple[Known, Allowance], ...] = (
    (known.CUT_OFF, _cut_off),
    (known.UPGRADE, _upgrade),
    (known.REQUEST_ID, _pairs("reply headers", _whatever_the("x-request-id"))),
    (known.PATH_DECODED, _path_decoded),
    (known.CLIENT_PORT, _without("client port")),
    (known.SERVER, _without("server")),
    (
        known.REQUEST_HEADERS_DROPPED,
        _pairs("headers", _dropped(*DROPPED_FROM_REQUEST)),
    ),
    (known.COOKIES, _both(_cookies_apart)),
    (known.REQUEST_HEADERS_LAST, _pairs("headers", last)),
    (known.REQUEST_HEADERS_GROUPED, _pairs("headers", grouped)),
    (known.REQUEST_HEADERS_JOINED, _pairs("headers", split)),
    (known.QUERY_LISTED, _query(grouped)),
    (known.QUERY_LAST, _query(last)),
    (known.QUERY_DECODED, _query(_decoded)),
    (known.DEFAULT_TYPE, _default_type),
    (known.HOP_BY_HOP, _pairs("reply headers", _dropped(*HOP_BY_HOP))),
    (
        known.RESPONSE_HEADERS_REMAPPED,
        _pairs(
            "reply headers",
            _dropped(
                *DROPPED_FROM_RESPONSE, *REMAPPED, *(f"x-amzn-remapped-{name}" for name in REMAPPED)
            ),
        ),
    ),
    (known.RESPONSE_HEADERS_GROUPED, _pairs("reply headers", sorted_by_name)),
    (known.RESPONSE_HEADERS_JOINED, _pairs("reply headers", split)),
    (known.EMPTY_LENGTH, _empty_length),
    (known.TOO_LARGE, _too_large),
)
