"""service.runtime.gateways: the scope of each kind of event is what uvicorn would show."""

from __future__ import annotations

from typing import Any

import pytest

from service.errors import MalformedEventError
from service.runtime.gateways import GATEWAYS, headers, is_http
from tests.service import events as made
from tests.service.runtime.test_adapter import Adapted

HTTP_API = {"domainName": "abcdef1234.execute-api.eu-central-1.amazonaws.com", "stage": "$default"}


async def _app(_scope: Any, _receive: Any, _send: Any) -> None:
    """Answers nothing."""


def gateway(event: made.Event, base_path: str = "/") -> Any:
    """As Mangum finds it."""
    found = next(known for known in GATEWAYS if known.infer(event, made.Context(), {}))
    return found(event, made.Context(), {"api_gateway_base_path": base_path})


def http_api(path: str, **context: str) -> made.Event:
    """An HTTP API in payload 2.0."""
    event = made.function_url(path)
    event["requestContext"] |= HTTP_API | context
    return event


def header(event: made.Event, name: bytes) -> list[bytes]:
    return [value for key, value in gateway(event).scope["headers"] if key == name]


KINDS: dict[str, Any] = {
    "Function URL": made.function_url,
    "HTTP API, payload 1.0": made.http_api_1,
    "REST API": made.rest_api,
    "load balancer": made.load_balancer,
    "load balancer, multi-value": made.load_balancer_multi,
}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@every_kind
def test_the_scope_has_the_parts_of_uvicorns_and_lambdas_own(kind: Any) -> None:
    scope = dict(gateway(kind("/a")).scope)
    assert scope.pop("aws.event")
    assert scope.pop("aws.context") == made.Context()
    assert isinstance(scope.pop("query_string"), bytes)
    assert {name for name, _ in scope.pop("headers")} >= {b"host", b"accept"}
    host, port = scope.pop("server")
    assert ("." in host, port) == (True, 80 if scope["scheme"] == "http" else 443)
    assert scope.pop("scheme") in ("http", "https")
    assert scope == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "client": ("203.0.113.7", 0),
        "root_path": "",
        "method": "GET",
        "path": "/a",
        "raw_path": b"/a",
    }


@pytest.mark.parametrize(
    "kind", [made.function_url, made.rest_api, made.load_balancer, made.load_balancer_multi]
)
@pytest.mark.parametrize(
    ("sent", "path"),
    [
        ("/100%2525", "/100%25"),
        ("/a%2Fb", "/a/b"),
        ("/%C3%A9", "/é"),
        ("/%FF", "/\N{REPLACEMENT CHARACTER}"),
        ("/a%20b+c", "/a b+c"),
        ("//a/../b", "//a/../b"),
        ('/a|b"[c]', '/a|b"[c]'),
    ],
)
def test_a_path_is_decoded_once_and_kept_as_it_was_sent(kind: Any, sent: str, path: str) -> None:
    scope = gateway(kind(sent)).scope
    assert (scope["path"], scope["raw_path"]) == (path, sent.encode())


@pytest.mark.parametrize("event", [http_api, made.http_api_1])
@pytest.mark.parametrize(
    ("decoded", "raw_path"),
    [("/100%25", b"/100%2525"), ("/é b", b"/%C3%A9%20b"), ("/a?b#c", b"/a%3Fb%23c")],
)
def test_a_path_that_an_http_api_decoded_is_not_decoded_again(
    event: Any, decoded: str, raw_path: bytes
) -> None:
    scope = gateway(event(decoded)).scope
    assert (scope["path"], scope["raw_path"]) == (decoded, raw_path)


@every_kind
def test_options_may_ask_the_server_itself(kind: Any) -> None:
    scope = gateway(kind("*", "OPTIONS")).scope
    assert (scope["path"], scope["raw_path"]) == ("*", b"*")


@pytest.mark.parametrize(
    ("path", "stage", "seen"),
    [
        ("/prod/items", "prod", "/items"),
        ("/prod", "prod", "/"),
        ("/production", "prod", "/production"),
        ("/items", "prod", "/items"),
        ("/$default/items", "$default", "/$default/items"),
    ],
)
def test_the_stage_of_an_http_api_is_no_part_of_the_path(path: str, stage: str, seen: str) -> None:
    assert gateway(http_api(path, stage=stage)).scope["path"] == seen


@every_kind
def test_a_base_path_is_left_out_at_the_border_of_a_segment(kind: Any) -> None:
    def seen(path: str) -> str:
        return str(gateway(kind(path), "/shop").scope["path"])

    assert [seen(path) for path in ("/shop/a", "/shop", "/shopping", "/a/shop")] == [
        "/a",
        "/",
        "/shopping",
        "/a/shop",
    ]


@pytest.mark.parametrize("query", ["b=1&a&a=&b=2", "x=%20&y=+&z=a%2Fb", "&&=&", "q='a'~"])
def test_a_function_urls_query_is_as_it_was_sent(query: str) -> None:
    assert gateway(made.function_url(query=query)).scope["query_string"] == query.encode()


def test_a_load_balancers_query_is_not_encoded_again() -> None:
    event = made.load_balancer() | {"queryStringParameters": {"b": "%20+", "a%5B%5D": ""}}
    assert gateway(event).scope["query_string"] == b"b=%20+&a%5B%5D="


def test_a_rest_apis_query_is_encoded_again_in_its_order() -> None:
    query = {"b": ["a b", "c+d"], "a": ["", "é", "1&2=3"]}
    event = made.rest_api() | {"multiValueQueryStringParameters": query}
    assert gateway(event).scope["query_string"] == b"b=a%20b&b=c%2Bd&a=&a=%C3%A9&a=1%262%3D3"


def test_a_query_of_single_values_is_taken_where_there_are_no_others() -> None:
    event = made.rest_api() | {
        "multiValueQueryStringParameters": None,
        "queryStringParameters": {"a": "1"},
    }
    assert gateway(event).scope["query_string"] == b"a=1"


def test_repeated_headers_stay_apart_where_the_event_holds_them() -> None:
    event = made.rest_api()
    event["multiValueHeaders"] |= {"X-Tag": ["a", "b,c"], "Cookie": ["d=1; e=2"]}
    assert header(event, b"x-tag") == [b"a", b"b,c"]
    assert header(event, b"cookie") == [b"d=1; e=2"]


def test_the_cookies_of_payload_2_are_one_header() -> None:
    event = made.function_url(cookie="a=1; b=2") | {"cookies": ["a=1", "b=2"]}
    assert header(event, b"cookie") == [b"a=1; b=2"]


@pytest.mark.parametrize(("value", "sent"), [("é", b"\xe9"), ("ī", b"\xc4\xab"), ("a\tb", b"a\tb")])
def test_a_header_arrives_as_the_bytes_that_were_sent(value: str, sent: bytes) -> None:
    assert header(made.function_url(x_city=value), b"x-city") == [sent]


def test_a_header_in_utf_8_leaves_the_others_as_they_were_sent() -> None:
    event = made.function_url(x_a="é", x_b="ī", x_c="é")
    assert [header(event, name) for name in (b"x-a", b"x-b", b"x-c")] == [
        [b"\xe9"],
        [b"\xc4\xab"],
        [b"\xe9"],
    ]


@pytest.mark.parametrize(
    ("host", "server"),
    [
        ("[2001:db8::1]", ("2001:db8::1", 443)),
        ("[2001:db8::1]:8443", ("2001:db8::1", 8443)),
        ("shop.example:81", ("shop.example", 81)),
        ("shop.example", ("shop.example", 443)),
        ("shop.example:", ("shop.example", 443)),
        ("", None),
    ],
)
def test_the_server_is_what_the_client_asked(host: str, server: Any) -> None:
    assert gateway(made.function_url(host=host)).scope["server"] == server


def test_the_port_of_the_server_is_the_front_ends_where_the_client_named_none() -> None:
    event = made.function_url(x_forwarded_port="8443")
    event["headers"]["host"] = "shop.example"
    assert gateway(event).scope["server"] == ("shop.example", 8443)


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("198.51.100.1, 203.0.113.7", ("203.0.113.7", 0)),
        ("203.0.113.7:4711", ("203.0.113.7", 4711)),
        ("2001:db8::1", ("2001:db8::1", 0)),
        ("10.0.0.1,[2001:db8::1]:4711", ("2001:db8::1", 4711)),
        ("", None),
    ],
)
def test_a_load_balancers_client_is_the_last_one_it_was_forwarded_for(
    forwarded: str, client: Any
) -> None:
    event = made.load_balancer()
    event["headers"]["x-forwarded-for"] = forwarded
    assert gateway(event).scope["client"] == client


def test_of_a_repeated_header_the_last_one_tells_the_client() -> None:
    event = made.load_balancer_multi()
    event["multiValueHeaders"]["x-forwarded-for"] = ["198.51.100.1", "203.0.113.7"]
    assert gateway(event).scope["client"] == ("203.0.113.7", 0)


def test_what_is_kept_of_the_names_of_headers_stays_small() -> None:
    for number in range(300):
        event = made.function_url(**{f"x-{number}": "a"})
        assert len(gateway(event).scope["headers"]) == 8
        assert gateway(event).scope["headers"][-1] == (b"x-%d" % number, b"a")
    many = made.function_url(**{f"x-{number}": "a" for number in range(1_000)})
    assert len(gateway(many).scope["headers"]) == 1_007
    assert 0 < len(headers._kept) <= 256
    assert max(len("".join(names)) for names in headers._kept) < 1_024


def test_a_request_without_headers_is_one() -> None:
    event = made.load_balancer() | {"headers": None}
    scope = gateway(event).scope
    assert (scope["headers"], scope["client"], scope["server"]) == ([], None, None)


def _changed(event: made.Event, *path: str, to: Any) -> made.Event:
    part = event
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = to
    return event


MALFORMED = {
    "method in lower case": _changed(made.rest_api(), "httpMethod", to="get"),
    "method that injects": _changed(made.rest_api(), "httpMethod", to="GET / HTTP/1.1\r\n"),
    "method that is a list": _changed(made.rest_api(), "httpMethod", to=["GET"]),
    "no path": _changed(made.load_balancer(), "path", to=None),
    "relative path": _changed(made.function_url(), "rawPath", to="a"),
    "path that is no text": _changed(made.function_url(), "rawPath", to=7),
    "half a character": _changed(made.function_url(), "rawPath", to="/\ud800"),
    "header that injects": made.function_url(x="a\r\nset-cookie: b"),
    "header of two lines": made.function_url(x="a\nb"),
    "name of two lines": _changed(made.function_url(), "headers", to={"a\nb": "c"}),
    "both of two lines": _changed(made.function_url(), "headers", to={"a\nb": "c\nd"}),
    "name of nothing": _changed(made.function_url(), "headers", to={"": "a"}),
    "header that is deleted": made.function_url(x="a\x7f"),
    "header of half a character": made.function_url(x="\udcff"),
    "name that injects": _changed(made.function_url(), "headers", to={"a\r\nb": "c"}),
    "header that is a number": _changed(made.function_url(), "headers", to={"a": 1}),
    "headers that are a list": _changed(made.function_url(), "headers", to=["a"]),
    "value that is a number": _changed(made.rest_api(), "multiValueHeaders", to={"a": [1]}),
    "values that are text": _changed(made.rest_api(), "multiValueHeaders", to={"a": "bc"}),
    "query that is a number": _changed(made.load_balancer(), "queryStringParameters", to={"a": 1}),
    "parameters that are text": _changed(
        made.rest_api(), "multiValueQueryStringParameters", to={"a": "bc"}
    ),
    "cookies that are numbers": made.function_url() | {"cookies": [1]},
    "wrong base64": made.function_url(body="?") | {"isBase64Encoded": True},
    "base64 that may be": made.function_url(body="") | {"isBase64Encoded": "perhaps"},
    "body that is an object": made.function_url() | {"body": {"a": 1}},
    "body of half a character": made.function_url(body="\udcff"),
    "source that is a list": _changed(
        made.function_url(), "requestContext", "http", "sourceIp", to=[]
    ),
    "context that is text": _changed(made.function_url(), "requestContext", "http", to="http"),
}


@pytest.mark.parametrize("event", MALFORMED.values(), ids=MALFORMED)
def test_an_event_that_no_gateway_sends_is_malformed(adapted: Adapted, event: made.Event) -> None:
    with pytest.raises(MalformedEventError, match=r"^The event looks like an HTTP request of "):
        adapted(_app)(event, made.Context())


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        "x",
        {},
        {"requestContext": []},
        {"httpMethod": "GET"},
        {"type": "REQUEST", "methodArn": "arn:aws:execute-api:x", **made.rest_api()},
        {"type": "REQUEST", "routeArn": "arn:aws:execute-api:x", **made.function_url()},
    ],
)
def test_what_lacks_the_marks_of_a_request_is_none(event: Any) -> None:
    assert not is_http(event)
