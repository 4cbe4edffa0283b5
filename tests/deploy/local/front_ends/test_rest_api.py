"""A request becomes the event that a REST API would make of it, a result the response."""

import pytest

from deploy.local.front_ends.rest_api import BODY_LIMIT, MALFORMED, TOO_LARGE, RestApi
from tests.deploy.local.front_ends import made

API = RestApi(made.DOMAIN)
JSON = ("Content-Type", "application/json")


def test_a_plain_request() -> None:
    asked = made.event(API, path="/a%20b", headers=[("Host", "here")])
    context = asked.pop("requestContext")
    headers = {
        "Host": "here",
        "X-Amzn-Trace-Id": made.TRACE,
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
    }
    assert asked == {
        "resource": "/{proxy+}",
        "path": "/a%20b",
        "httpMethod": "GET",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"proxy": "a%20b"},
        "stageVariables": None,
        "body": None,
        "isBase64Encoded": False,
    }
    assert (context["stage"], context["path"]) == ("live", "/live/a%20b")
    assert context["identity"]["sourceIp"] == "127.0.0.1"


def test_the_root_is_a_resource_of_its_own() -> None:
    asked = made.event(API)
    assert (asked["resource"], asked["pathParameters"]) == ("/", None)


def test_a_custom_domain_keeps_its_base_path_and_tells_no_stage() -> None:
    asked = made.event(RestApi(made.DOMAIN, base_path="shop"), path="/shop/orders/7")
    assert asked["path"] == asked["requestContext"]["path"] == "/shop/orders/7"
    assert asked["pathParameters"] == {"proxy": "orders/7"}


def test_headers_keep_their_spelling_and_all_their_values() -> None:
    asked = made.event(API, headers=[("X-Many", "1"), ("x-many", "2")])
    assert asked["headers"]["X-Many"] == "2"
    assert asked["multiValueHeaders"]["X-Many"] == ["1", "2"]


def test_some_headers_do_not_arrive() -> None:
    asked = made.event(API, headers=[("TE", "trailers"), ("Content-Length", "0"), ("Via", "x")])
    assert asked["headers"]["Via"] == "x"
    assert {"TE", "Content-Length"}.isdisjoint(asked["headers"])


def test_parameters_are_decoded() -> None:
    asked = made.event(API, query="a=1&a=%20+%2B&flag")
    assert asked["queryStringParameters"] == {"a": "  +", "flag": ""}
    assert asked["multiValueQueryStringParameters"] == {"a": ["1", "  +"], "flag": [""]}


@pytest.mark.parametrize(
    ("types", "content_type", "body", "expected"),
    [
        (("*/*",), "application/json", b"{}", ("e30=", True)),
        ((), "application/json", b"{}", ("{}", False)),
        ((), "image/png", b"\xff", ("\N{REPLACEMENT CHARACTER}", False)),
        (("image/*",), "image/png; q=1", b"\xff", ("/w==", True)),
        (("application/json",), "", b"{}", ("e30=", True)),
    ],
)
def test_binary_media_types_travel_in_base64(
    types: tuple[str, ...], content_type: str, body: bytes, expected: tuple[str, bool]
) -> None:
    api = RestApi(made.DOMAIN, binary_media_types=types)
    assert made.posted(api, body, content_type) == expected


def test_over_ten_megabytes_is_refused() -> None:
    assert made.refusal(API, body=bytes(BODY_LIMIT + 1)) == TOO_LARGE


def test_both_forms_of_headers_are_merged() -> None:
    given = {
        "statusCode": 200,
        "headers": {"x-a": "1", "x-b": "3"},
        "multiValueHeaders": {"X-A": ["1", "2"]},
    }
    assert made.status_headers_body(made.answer(API, given)) == (
        200,
        [("X-A", "1"), ("X-A", "2"), ("x-b", "3"), JSON],
        b"",
    )


def test_some_names_are_remapped_and_some_dropped() -> None:
    sent = {"WWW-Authenticate": "Basic", "TE": "x", "Via": "1.1 proxy", "X-A": "1"}
    given = {"statusCode": 401, "headers": sent}
    headers = made.answer(API, given).headers
    assert list(headers)[:2] == [("x-amzn-Remapped-WWW-Authenticate", "Basic"), ("X-A", "1")]


@pytest.mark.parametrize(
    ("types", "accept", "body"),
    [(("*/*",), "text/html", b"\xff"), (("image/png",), "image/png, */*", b"\xff"),
     (("image/png",), "text/html", b"/w==")],
)  # fmt: skip
def test_base64_is_decoded_when_the_client_accepts_a_binary_type(
    types: tuple[str, ...], accept: str, body: bytes
) -> None:
    api = RestApi(made.DOMAIN, binary_media_types=types)
    given = {"statusCode": 200, "body": "/w==", "isBase64Encoded": True}
    assert made.answer(api, given, accept=accept).body == body


@pytest.mark.parametrize(
    "malformed", ["text", {}, {"statusCode": 99}, {"statusCode": 200, "headers": ["a"]}, None]
)
def test_a_malformed_result_is_a_bad_gateway(malformed: object) -> None:
    assert made.answer(API, malformed) == MALFORMED
