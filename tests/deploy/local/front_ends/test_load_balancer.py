"""A request becomes the event that a load balancer would make of it, a result the response."""

from typing import Any

import pytest

from deploy.local.front_ends.load_balancer import (
    BAD_GATEWAY,
    BAD_REQUEST,
    LIMIT,
    TOO_LARGE,
    LoadBalancer,
)
from tests.deploy.local.front_ends import made

SINGLE = LoadBalancer(multi_value=False, port=80)
MULTI = LoadBalancer(multi_value=True, port=80)
OCTETS = ("content-type", "application/octet-stream")


def test_a_plain_request() -> None:
    assert made.event(SINGLE, headers=[("Host", "here")]) == {
        "requestContext": {"elb": {"targetGroupArn": SINGLE.target_group}},
        "httpMethod": "GET",
        "path": "/",
        "queryStringParameters": {},
        "headers": {
            "host": "here",
            "x-forwarded-for": "127.0.0.1",
            "x-forwarded-proto": "http",
            "x-forwarded-port": "80",
            "x-amzn-trace-id": made.TRACE,
        },
        "body": "",
        "isBase64Encoded": False,
    }


def test_with_multi_value_headers_everything_is_a_list() -> None:
    asked = made.event(MULTI, query="a=1&a=2", headers=[("X-A", "1"), ("x-a", "2")])
    assert asked["multiValueQueryStringParameters"] == {"a": ["1", "2"]}
    assert asked["multiValueHeaders"]["x-a"] == ["1", "2"]
    assert {"headers", "queryStringParameters"}.isdisjoint(asked)


def test_without_them_the_last_counts() -> None:
    asked = made.event(SINGLE, query="a=1&a=2", headers=[("Cookie", "a=1"), ("cookie", "b=2")])
    assert asked["queryStringParameters"] == {"a": "2"}
    assert asked["headers"]["cookie"] == "b=2"


def test_path_and_query_stay_percent_encoded() -> None:
    asked = made.event(SINGLE, path="/a%2Fb", query="a%20b=c%2Bd+e")
    assert (asked["path"], asked["queryStringParameters"]) == ("/a%2Fb", {"a%20b": "c%2Bd+e"})


def test_the_client_is_appended_to_who_was_forwarded_for() -> None:
    asked = made.event(SINGLE, headers=[("X-Forwarded-For", "6.6.6.6")], client="10.0.0.1")
    assert asked["headers"]["x-forwarded-for"] == "6.6.6.6, 10.0.0.1"


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("text/css", b"a", ("a", False)),
        ("application/json; charset=utf-8", b"{}", ("{}", False)),
        ("application/problem+json", b"{}", ("e30=", True)),
        ("", b"abc", ("YWJj", True)),
        ("text/plain", b"\xff", ("/w==", True)),
    ],
)
def test_four_kinds_of_text_travel_as_they_are(
    content_type: str, body: bytes, expected: tuple[str, bool]
) -> None:
    assert made.posted(SINGLE, body, content_type) == expected


def test_what_is_compressed_travels_in_base64() -> None:
    headers = [("content-type", "text/plain"), ("content-encoding", "gzip")]
    assert made.event(SINGLE, headers=headers, body=b"a")["isBase64Encoded"] is True


def test_over_a_megabyte_is_refused() -> None:
    assert made.refusal(SINGLE, body=bytes(LIMIT + 1)) == TOO_LARGE


def test_an_upgrade_is_refused() -> None:
    assert made.refusal(SINGLE, headers=[("Upgrade", "websocket")]) == BAD_REQUEST


def result(**parts: Any) -> dict[str, Any]:
    return {"statusCode": 200, "statusDescription": "200 OK", "isBase64Encoded": False, **parts}


def test_a_result_becomes_a_response() -> None:
    given = result(headers={"Content-Type": "text/plain", "X-A": "ü"}, body="ü")
    assert made.status_headers_body(made.answer(SINGLE, given)) == (
        200,
        [("Content-Type", "text/plain"), ("X-A", "ü")],
        "ü".encode(),
    )


@pytest.mark.parametrize("key", ["headers", "multiValueHeaders"])
def test_only_the_configured_form_of_headers_counts(key: str) -> None:
    given = result(**{key: {"x-a": "1" if key == "headers" else ["1", "2"]}})
    single, multi = made.answer(SINGLE, given), made.answer(MULTI, given)
    other, right = (multi, single) if key == "headers" else (single, multi)
    assert ("x-a", "1") in right.headers
    assert list(other.headers)[:1] == [OCTETS]


def test_hop_by_hop_headers_are_dropped() -> None:
    given = result(headers={"Connection": "close", "Transfer-Encoding": "chunked"})
    assert made.status_headers_body(made.answer(SINGLE, given)) == (200, [OCTETS], b"")


def test_base64_is_decoded() -> None:
    assert made.answer(SINGLE, result(body="/w==", isBase64Encoded=True)).body == b"\xff"


@pytest.mark.parametrize(
    "malformed",
    [
        None,
        "text",
        {},
        {"statusCode": "x"},
        result(headers=["a"]),
        result(body="not base64!", isBase64Encoded=True),
        result(body="x" * LIMIT),
    ],
)
def test_a_malformed_result_is_a_bad_gateway(malformed: object) -> None:
    assert made.answer(SINGLE, malformed) == BAD_GATEWAY
