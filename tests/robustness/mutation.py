"""Valid events, changed in one to four places as no front end and no source would send them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.robustness import hostile
from tests.robustness.draw import Draw, pick
from tests.service import events as made

Place = tuple[Any, Any]
"""A container and the key or index in it."""

VALID: dict[str, Any] = {
    "function URL": made.function_url("/orders/7", "POST", "a=1&b=%20", "hello"),
    "function URL, binary": {
        **made.function_url("/f", "PUT", body="AP8="),
        "isBase64Encoded": True,
        "cookies": ["a=1", "b=2"],
    },
    "HTTP API 1.0": made.http_api_1("/orders/7"),
    "REST API": made.rest_api("/orders/7", "POST", "hello"),
    "load balancer": made.load_balancer("/orders/7", "POST", "hello"),
    "load balancer, multi-value": made.load_balancer_multi("/orders/7", "POST", "hello"),
    "websocket": made.web_socket(),
    "SQS": made.sqs("a", "b"),
    "S3": made.s3(),
    "SNS": made.sns(),
    "DynamoDB": made.dynamodb(),
    "Kinesis": made.kinesis(),
    "schedule": made.schedule(),
    "EventBridge": made.event_bridge(),
    "direct": {"order": 7},
}
HTTP = tuple(VALID)[:6]
# Requests thrice, as it is they that anybody may send.
_KINDS = (*HTTP, *HTTP, *VALID)
_TEXTS = {kind: json.dumps(event) for kind, event in VALID.items()}
_HEADERS = ("headers", "multiValueHeaders")
_PATHS = ("path", "rawPath", "resource")


def valid(kind: str) -> Any:
    """The valid event of this kind, made anew."""
    return json.loads(_TEXTS[kind])


def mutated(draw: Draw) -> tuple[str, Any]:
    """What the event was before, and what became of it: a value that JSON can carry."""
    kind = pick(draw, _KINDS)
    whole = {"event": valid(kind)}
    for _ in range(1 + draw.below(4)):
        pick(draw, _MUTATIONS)(draw, whole)
    return kind, whole["event"]


def _places(value: Any) -> Iterator[Place]:
    """Every key and index, the outer before the inner; nothing deeper than events are."""
    level = [value]
    for _ in range(8):
        inner = []
        for container in level:
            keys = list(container) if isinstance(container, dict) else range(len(container))
            for key in keys[:40]:
                yield container, key
                if isinstance(container[key], dict | list):
                    inner.append(container[key])
        level = inner


def _place(draw: Draw, whole: Any) -> Place:
    places = list(_places(whole))
    return places[draw.below(min(len(places), 65_536))]


def _set(value: Callable[[Draw], Any]) -> Callable[[Draw, Any], None]:
    def change(draw: Draw, whole: Any) -> None:
        container, key = _place(draw, whole)
        container[key] = value(draw)

    return change


def _remove(draw: Draw, whole: Any) -> None:
    container, key = _place(draw, whole)
    if container is not whole:
        del container[key]


def _rename(draw: Draw, whole: Any) -> None:
    container, key = _place(draw, whole)
    if container is not whole and isinstance(container, dict):
        container[_name(draw)] = container.pop(key)


def _repeat(draw: Draw, whole: Any) -> None:
    """The value several times over, as a list of itself; a small one, many times."""
    container, key = _place(draw, whole)
    value = container[key]
    container[key] = [value] * (1, 2, 3000 if _is_small(value) else 3)[draw.below(3)]


def _is_small(value: Any) -> bool:
    """So that repeating what is long or repeated already stays within what Lambda takes."""
    if isinstance(value, str):
        return len(value) < 200
    return not isinstance(value, dict | list) or sum(1 for _ in _places(value)) < 40


def _add_header(draw: Draw, whole: Any) -> None:
    for field in _HEADERS:
        if isinstance(headers := _field(whole, field), dict):
            text = _text(draw)
            headers[_name(draw)] = [text, _text(draw)] if field == "multiValueHeaders" else text


def _repeat_header_in_other_case(draw: Draw, whole: Any) -> None:
    for field in _HEADERS:
        headers = _field(whole, field)
        if isinstance(headers, dict) and headers:
            name = pick(draw, list(headers))
            headers[name.swapcase()] = headers[name]


def _change_path(draw: Draw, whole: Any) -> None:
    """In all the places in which an event tells it."""
    path = ("/", "")[draw.below(2)] + _text(draw)
    event = whole["event"]
    for field in _PATHS:
        if _field(whole, field) is not None:
            event[field] = path
    http = (_field(whole, "requestContext") or {}) if isinstance(event, dict) else {}
    if isinstance(http, dict) and isinstance(http.get("http"), dict):
        http["http"]["path"] = path


def _change_query(draw: Draw, whole: Any) -> None:
    if _field(whole, "rawQueryString") is not None:
        whole["event"]["rawQueryString"] = _text(draw)
    for field in ("queryStringParameters", "multiValueQueryStringParameters"):
        if isinstance(query := _field(whole, field), dict):
            query[_text(draw)] = [_text(draw), _text(draw)] if field[0] == "m" else _text(draw)


def _break_base64(draw: Draw, whole: Any) -> None:
    if isinstance(whole["event"], dict):
        whole["event"] |= {"body": pick(draw, hostile.BASE64), "isBase64Encoded": True}


def _splice(draw: Draw, whole: Any) -> None:
    """Fields of an event of another kind over this one's."""
    if isinstance(whole["event"], dict):
        other = valid(pick(draw, tuple(VALID)))
        whole["event"] |= {key: other[key] for key in other if draw.below(2)}


def _field(whole: Any, field: str) -> Any:
    event = whole["event"]
    return event.get(field) if isinstance(event, dict) else None


def _text(draw: Draw) -> str:
    choice = draw.below(8)
    if choice == 0:
        return draw.text()
    if choice == 1:
        return pick(draw, hostile.TEXTS) + draw.text() + pick(draw, hostile.TEXTS)
    return pick(draw, hostile.TEXTS)


def _name(draw: Draw) -> str:
    return draw.text() if draw.below(4) == 0 else pick(draw, hostile.NAMES)


def _number(draw: Draw) -> Any:
    return pick(draw, hostile.NUMBERS)


def _wrong_type(draw: Draw) -> Any:
    return pick(draw, hostile.wrong_types())


def _long(draw: Draw) -> str:
    """Long, and in one case of 512 more than Lambda takes."""
    size = hostile.LONG if draw.below(512) else hostile.HUGE
    return pick(draw, ("a", "\n", "é", "/", "%2e", ","))[0] * size


def _deep(draw: Draw) -> Any:
    depth = (20, 200, 900)[draw.below(3)]
    return hostile.nested(depth, pick(draw, (lambda value: [value], lambda value: {"a": value})))


def _null(_: Draw) -> None:
    return None


_MUTATIONS: tuple[Callable[[Draw, Any], None], ...] = (
    _remove,
    _remove,
    _rename,
    _repeat,
    _set(_null),
    _set(_wrong_type),
    _set(_wrong_type),
    _set(_text),
    _set(_text),
    _set(_number),
    _set(_long),
    _set(_deep),
    _add_header,
    _add_header,
    _repeat_header_in_other_case,
    _change_path,
    _change_query,
    _break_base64,
    _splice,
)
