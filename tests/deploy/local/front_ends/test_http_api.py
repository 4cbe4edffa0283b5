"""A request becomes the event that an HTTP API would make of it, a result the response."""

from typing import Any, Literal

import pytest

from deploy.local.front_ends.http_api import (
    BAD_REQUEST,
    BODY_LIMIT,
    INTERNAL_ERROR,
    TOO_LARGE,
    HttpApi,
)
from tests.deploy.local.front_ends import made

API = HttpApi(made.DOMAIN)
FORMER = HttpApi(made.DOMAIN, "1.0")
BOTH = pytest.mark.parametrize("api", [API, FORMER], ids=["2.0", "1.0"])
JSON = ("content-type", "application/json")


def path_of(event: dict[str, Any]) -> object:
    return event["rawPath"] if event["version"] == "2.0" else event["path"]


@BOTH
@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("/space%20value", "/space value"),
        ("/question%3Fvalue", "/question"),
        ("/hash%23value", "/hash#value"),
        ("/slash%2Fvalue", "/slash/value"),
        ("/%CE%BB-%E4%B8%96", "/λ-世"),
        ("/literal%252Fvalue", "/literal/value"),
        ("/literal%253Fvalue", "/literal?value"),
        ("/literal%2525value", "/literal%value"),
    ],
)
def test_the_path_is_decoded_as_it_was_seen_to_be(api: HttpApi, sent: str, told: str) -> None:
    assert path_of(made.event(api, path=sent)) == told


@BOTH
def test_a_percent_sign_that_encodes_nothing_is_refused(api: HttpApi) -> None:
    assert made.refusal(api, path="/percent%25done") == BAD_REQUEST


@BOTH
def test_a_named_stage_stands_before_the_path(api: HttpApi) -> None:
    payload: Literal["1.0", "2.0"] = api.payload
    asked = made.event(HttpApi(made.DOMAIN, payload, stage="dev"), path="/a")
    assert path_of(asked) == "/dev/a"
    assert asked["requestContext"]["stage"] == "dev"


@BOTH
def test_over_ten_megabytes_is_refused(api: HttpApi) -> None:
    assert made.refusal(api, body=bytes(BODY_LIMIT + 1)) == TOO_LARGE


def test_in_2_cookies_have_only_a_list() -> None:
    asked = made.event(API, headers=[("Cookie", "a=1; b=2"), ("X-A", "1"), ("x-a", "2")])
    assert asked["cookies"] == ["a=1", "b=2"]
    assert "cookie" not in asked["headers"]
    assert asked["headers"]["x-a"] == "1,2"


def test_in_2_the_query_is_there_raw() -> None:
    assert made.event(API, query="a=1&a=%20")["rawQueryString"] == "a=1&a=%20"


def test_in_1_everything_is_there_as_lists() -> None:
    asked = made.event(FORMER, query="a=1&a=%20", headers=[("X-A", "1"), ("x-a", "2")])
    assert asked["version"] == "1.0"
    assert asked["multiValueHeaders"]["X-A"] == ["1", "2"]
    assert asked["headers"]["X-A"] == "2"
    assert asked["multiValueQueryStringParameters"] == {"a": ["1", " "]}


def test_in_2_a_result_without_a_status_is_the_body() -> None:
    assert made.status_headers_body(made.answer(API, "Hello")) == (200, [JSON], b"Hello")


def test_in_1_it_is_malformed() -> None:
    assert made.answer(FORMER, "Hello") == INTERNAL_ERROR


@BOTH
def test_a_malformed_result_is_an_internal_error(api: HttpApi) -> None:
    assert made.answer(api, {"statusCode": "x"}) == INTERNAL_ERROR
