"""A request becomes the event that a Function URL would make of it, a result the response."""

from typing import Any

import pytest

from deploy.local.front_ends.function_url import INTERNAL_ERROR, FunctionUrl
from tests.deploy.local.front_ends import made

URL = FunctionUrl("abc123.lambda-url.eu-central-1.on.aws", 1234)
JSON = ("content-type", "application/json")


def event(**parts: Any) -> dict[str, Any]:
    return made.event(URL, **parts)


def test_a_plain_request() -> None:
    assert event(headers=[("Host", "here"), ("User-Agent", "curl")]) == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": {
            "host": "here",
            "user-agent": "curl",
            "x-forwarded-for": "127.0.0.1",
            "x-forwarded-proto": "http",
            "x-forwarded-port": "1234",
        },
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "abc123",
            "domainName": "abc123.lambda-url.eu-central-1.on.aws",
            "domainPrefix": "abc123",
            "http": {
                "method": "GET",
                "path": "/",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "curl",
            },
            "requestId": made.MOMENT.request_id,
            "routeKey": "$default",
            "stage": "$default",
            "time": "12/Mar/2026:19:03:58 +0000",
            "timeEpoch": 1773342238000,
        },
        "isBase64Encoded": False,
    }


def test_the_path_stays_percent_encoded_but_in_the_context() -> None:
    asked = event(path="/a%2Fb/%C3%BC")
    assert asked["rawPath"] == "/a%2Fb/%C3%BC"
    assert asked["requestContext"]["http"]["path"] == "/a/b/ü"


def test_the_query_is_there_raw_and_as_joined_parameters() -> None:
    asked = event(query="a=1&a=2&flag&b=%20x")
    assert asked["rawQueryString"] == "a=1&a=2&flag&b=%20x"
    assert asked["queryStringParameters"] == {"a": "1,2", "flag": "", "b": " x"}


def test_headers_are_in_lower_case_and_joined_by_commas() -> None:
    assert event(headers=[("X-Many", "1"), ("x-many", "2")])["headers"]["x-many"] == "1,2"


def test_cookies_have_a_list_beside_their_header() -> None:
    asked = event(headers=[("Cookie", "a=1; b=2"), ("cookie", "c=3")])
    assert asked["cookies"] == ["a=1", "b=2", "c=3"]
    assert asked["headers"]["cookie"] == "a=1; b=2,c=3"


def test_what_the_caller_says_about_itself_is_replaced() -> None:
    headers = event(headers=[("X-Forwarded-For", "6.6.6.6")], client="10.0.0.1")["headers"]
    assert headers["x-forwarded-for"] == "10.0.0.1"


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("application/json", b'{"a": 1}', ('{"a": 1}', False)),
        ("application/json; charset=utf-8", b"{}", ("{}", False)),
        ("application/problem+json", b"{}", ("{}", False)),
        ("TEXT/plain", "ü".encode(), ("ü", False)),
        ("image/svg+xml", b"<svg/>", ("PHN2Zy8+", True)),
        ("application/octet-stream", b"abc", ("YWJj", True)),
        ("application/x-www-form-urlencoded", b"a=1", ("YT0x", True)),
        ("", b"abc", ("YWJj", True)),
        ("text/plain", b"\xff", ("/w==", True)),
    ],
)
def test_only_text_travels_as_it_is(
    content_type: str, body: bytes, expected: tuple[str, bool]
) -> None:
    assert made.posted(URL, body, content_type) == expected


def test_a_request_without_a_body_has_none() -> None:
    assert "body" not in event()


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ("Hello", (200, [JSON], b"Hello")),
        ({"message": "Hi"}, (200, [JSON], b'{"message": "Hi"}')),
        (None, (200, [JSON], b"null")),
        ([1], (200, [JSON], b"[1]")),
        ({"statusCode": 204}, (204, [JSON], b"")),
        ({"statusCode": "201", "body": "ü"}, (201, [JSON], "ü".encode())),
        (
            {"statusCode": 200, "headers": {"Content-Type": "text/plain", "X-N": 1, "X-B": True}},
            (200, [("content-type", "text/plain"), ("x-n", "1"), ("x-b", "true")], b""),
        ),
        (
            {"statusCode": 200, "cookies": ["a=1; Secure", "b=2"]},
            (200, [JSON, ("set-cookie", "a=1; Secure"), ("set-cookie", "b=2")], b""),
        ),
        (
            {"statusCode": 200, "body": "/w==", "isBase64Encoded": True},
            (200, [JSON], b"\xff"),
        ),
        ({"statusCode": 200, "body": {"a": 1}}, (200, [JSON], b'{"a": 1}')),
    ],
)
def test_a_result_becomes_a_response(result: object, expected: object) -> None:
    assert made.status_headers_body(made.answer(URL, result)) == expected


def test_the_length_is_the_bodys_whatever_the_function_says() -> None:
    response = made.answer(
        URL, {"statusCode": 200, "headers": {"Content-Length": "9"}, "body": "a"}
    )
    assert made.status_headers_body(response) == (200, [JSON], b"a")


def test_no_body_is_sent_to_head() -> None:
    response = made.answer(URL, {"statusCode": 200, "body": "a"}, "HEAD")
    assert (response.body, dict(response.headers)["content-length"]) == (b"", "1")


@pytest.mark.parametrize(
    "result",
    [
        {"statusCode": "two hundred"},
        {"statusCode": True},
        {"statusCode": None},
        {"statusCode": 99},
        {"statusCode": 200, "headers": {"a": ["b"]}},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "body": "not base64!", "isBase64Encoded": True},
    ],
)
def test_a_malformed_response_is_a_bad_gateway(result: object) -> None:
    assert made.answer(URL, result) == INTERNAL_ERROR
