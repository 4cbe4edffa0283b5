"""service.runtime.gateways: a response becomes the reply that each front end takes."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from service.runtime.gateways import reply
from tests.service import events as made
from tests.service.runtime.test_adapter import CONTEXT, Adapted

MIB = 1024 * 1024
KINDS: dict[str, Any] = {
    "payload 2.0": made.function_url,
    "payload 1.0": made.rest_api,
    "load balancer": made.load_balancer,
    "load balancer, multi-value": made.load_balancer_multi,
}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def answering(
    *headers: tuple[bytes, bytes], status: int = 200, body: bytes = b"", chunks: int = 1
) -> Any:
    """An application with one answer to everything."""

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for _ in range(chunks):
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body"})

    return app


def sent(answer: made.Event) -> bytes:
    """The body that the front end makes of a reply."""
    body = str(answer["body"]).encode()
    return base64.b64decode(body) if answer["isBase64Encoded"] else body


def values(answer: made.Event, name: str) -> list[str]:
    several = answer.get("multiValueHeaders")
    return list(several[name]) if several is not None else [answer["headers"][name]]


@every_kind
@pytest.mark.parametrize(
    ("body", "encoded"),
    [
        (b"", False),
        ('{"a": "é\u2028"}'.encode(), False),
        (b"\xef\xbb\xbfBOM\r\n\x00", False),
        (b"\xff\xfe", True),
        (b"\x1f\x8b\x08", True),
    ],
)
def test_a_body_is_text_if_it_is_utf_8_and_arrives_unharmed(
    adapted: Adapted, kind: Any, body: bytes, encoded: bool
) -> None:
    answer = adapted(answering((b"content-type", b"image/svg+xml"), body=body))(kind(), CONTEXT)
    assert (sent(answer), answer["isBase64Encoded"]) == (body, encoded)


@every_kind
def test_no_content_type_is_invented(adapted: Adapted, kind: Any) -> None:
    answer = adapted(answering(status=204))(kind(), CONTEXT)
    headers = answer.get("multiValueHeaders") or answer["headers"]
    assert list(headers) == ["x-request-id"]


@every_kind
def test_a_header_in_latin_1_leaves_as_it_is(adapted: Adapted, kind: Any) -> None:
    answer = adapted(answering((b"X-City", b"Logro\xf1o")))(kind(), CONTEXT)
    assert values(answer, "x-city") == ["Logroño"]


@every_kind
def test_headers_of_one_connection_stay_behind(adapted: Adapted, kind: Any) -> None:
    app = answering((b"Connection", b"close"), (b"Transfer-Encoding", b"chunked"), body=b"a")
    answer = adapted(app)(kind(), CONTEXT)
    assert sent(answer) == b"a"
    assert "connection" not in json.dumps(answer)
    assert "chunked" not in json.dumps(answer)


def test_repeated_headers_stay_apart_or_are_joined(adapted: Adapted) -> None:
    adapter = adapted(answering((b"vary", b"a"), (b"Vary", b"b, c")))
    assert adapter(made.rest_api(), CONTEXT)["multiValueHeaders"]["vary"] == ["a", "b, c"]
    assert adapter(made.function_url(), CONTEXT)["headers"]["vary"] == "a, b, c"
    assert adapter(made.load_balancer(), CONTEXT)["headers"]["vary"] == "a, b, c"


def test_one_cookie_is_a_cookie(adapted: Adapted) -> None:
    answer = adapted(answering((b"set-cookie", b"a=1")))(made.function_url(), CONTEXT)
    assert answer["cookies"] == ["a=1"]
    assert "set-cookie" not in answer["headers"]


def test_cookies_are_never_joined(adapted: Adapted) -> None:
    adapter = adapted(answering(*[(b"set-cookie", b"a=%d" % n) for n in range(3)]))
    wanted = ["a=0", "a=1", "a=2"]
    assert adapter(made.function_url(), CONTEXT)["cookies"] == wanted
    assert adapter(made.rest_api(), CONTEXT)["multiValueHeaders"]["set-cookie"] == wanted
    single = adapter(made.load_balancer(), CONTEXT)["headers"]
    assert {name: value for name, value in single.items() if name.lower() == "set-cookie"} == {
        "set-cookie": "a=0",
        "Set-cookie": "a=1",
        "sEt-cookie": "a=2",
    }


@pytest.mark.parametrize(
    ("status", "description"), [(200, "200 OK"), (404, "404 Not Found"), (299, "299")]
)
def test_a_load_balancer_is_told_the_status_in_words(
    adapted: Adapted, status: int, description: str
) -> None:
    answer = adapted(answering(status=status))(made.load_balancer(), CONTEXT)
    assert (answer["statusCode"], answer["statusDescription"]) == (status, description)


@every_kind
def test_a_reply_to_head_has_the_headers_and_no_body(adapted: Adapted, kind: Any) -> None:
    app = answering((b"content-length", b"5"), body=b"hello")
    answer = adapted(app)(kind("/", "HEAD"), CONTEXT)
    assert (answer["statusCode"], answer["body"]) == (200, "")
    assert values(answer, "content-length") == ["5"]


LIMITS = [(made.function_url, 6), (made.rest_api, 6), (made.load_balancer, 1)]


@pytest.mark.parametrize(("kind", "limit"), LIMITS)
def test_a_reply_over_the_limit_is_a_507_that_says_so(
    adapted: Adapted, kind: Any, limit: int
) -> None:
    app = answering((b"content-type", b"image/png"), body=b"\xff" * (limit * MIB * 3 // 4))
    answer = adapted(app)(kind(), CONTEXT)
    assert answer["statusCode"] == 507
    assert f" carries {limit * MIB:,}. Request ID: req-1.\n" in answer["body"]
    assert "Send less at once (pages, compression), redirect to S3" in answer["body"]
    assert values(answer, "content-type") == ["text/plain; charset=utf-8"]
    assert values(answer, "x-request-id") == ["req-1"]


@pytest.mark.parametrize(("kind", "limit"), LIMITS)
def test_a_reply_over_the_limit_that_tells_its_length_is_a_507(
    adapted: Adapted, kind: Any, limit: int
) -> None:
    length = limit * MIB + 1
    app = answering((b"content-length", b"%d" % length), body=b"a" * length)
    assert adapted(app)(kind(), CONTEXT)["statusCode"] == 507


@pytest.mark.parametrize(("kind", "limit"), LIMITS)
def test_a_reply_just_under_the_limit_is_sent(adapted: Adapted, kind: Any, limit: int) -> None:
    for content in (b"\xff" * (limit * MIB * 3 // 4 - 40_000), b"a" * (limit * MIB - 40_000)):
        answer = adapted(answering(body=content))(kind(), CONTEXT)
        assert sent(answer) == content
        assert len(json.dumps(answer)) <= limit * MIB


def test_text_that_json_makes_too_long_leaves_as_base64(adapted: Adapted) -> None:
    text = ("й" * (2 * MIB)).encode()
    answer = adapted(answering(body=text))(made.function_url(), CONTEXT)
    assert answer["isBase64Encoded"]
    assert sent(answer) == text


def test_headers_over_the_limit_are_a_507(adapted: Adapted) -> None:
    app = answering((b"x-long", b"a" * MIB))
    assert adapted(app)(made.load_balancer(), CONTEXT)["statusCode"] == 507


def test_an_endless_stream_ends_at_the_limit(adapted: Adapted) -> None:
    app = answering(body=b"a" * 65536, chunks=1_000_000)
    assert adapted(app)(made.function_url(), CONTEXT)["statusCode"] == 507


@pytest.mark.parametrize("minor", [11, 12])
@pytest.mark.parametrize("text", ['a\x00\n"', "é", "\u2028\u2029", "\U0001f600"])
def test_a_size_is_that_of_awslambdarics_json(
    monkeypatch: pytest.MonkeyPatch, minor: int, text: str
) -> None:
    from awslambdaric.lambda_runtime_marshaller import to_json

    monkeypatch.setenv("AWS_EXECUTION_ENV", f"AWS_Lambda_python3.{minor}")
    made_up = {"body": text, "isBase64Encoded": False, "headers": {"a": "b"}}
    assert reply.size(made_up) == len(to_json(made_up).encode())
