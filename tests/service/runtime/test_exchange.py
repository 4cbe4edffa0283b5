"""service.runtime.exchange: an application meets the rules of uvicorn."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from service.runtime.exchange import Exchange, Response

START = {"type": "http.response.start", "status": 200, "headers": []}


def start(*headers: tuple[bytes, bytes], status: Any = 200) -> Any:
    return START | {"status": status, "headers": list(headers)}


def body(content: Any = b"", more: bool = False) -> Any:
    return {"type": "http.response.body", "body": content, "more_body": more}


def exchanged(*messages: Any, method: str = "GET") -> tuple[Response | None, str]:
    """The response to an application that sends `messages`, and its error."""
    raised = ""

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        nonlocal raised
        try:
            for message in messages:
                await send(message)
        except Exception as error:
            raised = str(error)
            raise

    exchange = Exchange(method, b"", 1000, "req-1")
    logging.getLogger("service.request").disabled = True
    try:
        asyncio.run(exchange.run(app, {"method": method, "path": "/"}))
    finally:
        logging.getLogger("service.request").disabled = False
    return exchange.response(), raised


FIVE = (b"content-length", b"5")


@pytest.mark.parametrize(
    ("messages", "error"),
    [
        ([], ""),
        ([START], ""),
        ([START, body(b"a", more=True)], ""),
        ([body()], "Expected ASGI message 'http.response.start', but got 'http.response.body'."),
        (
            [START, START],
            "Expected ASGI message 'http.response.body', but got 'http.response.start'.",
        ),
        ([start(FIVE), body(b"123456")], "The body is longer than the content-length."),
        ([start(FIVE), body(b"1234")], "The body is shorter than the content-length."),
        ([start(status=99)], "The status is 99; expected a number from 100 to 599."),
        ([start(status="200")], "The status is '200'; expected a number from 100 to 599."),
        ([start((b"a b", b"c"))], "b'a b' is no name of a header."),
        ([start((b"", b"c"))], "b'' is no name of a header."),
        (
            [start((b"a", b"b\r\nset-cookie: c"))],
            "The value of the header 'a' has a control character.",
        ),
        ([start((b"a", b"\x00"))], "The value of the header 'a' has a control character."),
        ([START, body("text")], "sequence item 0: expected a bytes-like object, str found"),
        ([START, body(b"a" * 1001)], "The reply is over 1,000 bytes."),
        (
            [start((b"content-length", b"1001")), body(b"a" * 1001)],
            "The reply is over 1,000 bytes.",
        ),
        (
            [start((b"content-length", b"1001")), body(b"a" * 999, more=True), body(b"aa")],
            "The reply is over 1,000 bytes.",
        ),
        (
            [start((b"content-length", b"1001"), status=304), body(b"a" * 1001)],
            "The reply is over 1,000 bytes.",
        ),
    ],
)
def test_what_no_server_would_have_sent_whole_is_no_response(messages: Any, error: str) -> None:
    assert exchanged(*messages) == (None, error)


def test_a_header_that_is_refused_leaves_no_response_even_if_the_application_goes_on() -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        with pytest.raises(RuntimeError):
            await send(start((b"a", b"\n")))
        await send(body())

    exchange = Exchange("GET", b"", 1000, "req-1")
    asyncio.run(exchange.run(app, {}))
    assert exchange.response() is None


def test_after_a_status_that_is_none_another_start_may_follow() -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        with pytest.raises(RuntimeError, match="The status is 99"):
            await send(start(status=99))
        await send(start(status=503))
        await send(body(b"own page"))

    exchange = Exchange("GET", b"", 1000, "req-1")
    asyncio.run(exchange.run(app, {}))
    response = exchange.response()
    assert response is not None
    assert (response["status"], response["body"]) == (503, b"own page")


def test_what_comes_after_the_response_is_an_error_and_changes_nothing() -> None:
    response, error = exchanged(START, body(b"a"), body(b"b"))
    assert response is not None
    assert response["body"] == b"a"
    assert error == "Unexpected ASGI message 'http.response.body': the response is complete."


@pytest.mark.parametrize(
    ("method", "messages", "content"),
    [
        ("HEAD", [start(FIVE)], b""),
        ("HEAD", [start(FIVE), body(b"hello")], b""),
        ("GET", [start(status=204)], b""),
        ("GET", [start(status=304), body(b"not seen")], b""),
        ("GET", [start(FIVE), body(b"hello", more=True)], b"hello"),
        ("GET", [start(FIVE), body(b"he", more=True), body(memoryview(b"llo"))], b"hello"),
        ("GET", [start(FIVE, (b"content-length", b"1")), body(b"hello")], b"hello"),
        (
            "GET",
            [start((b"transfer-encoding", b"chunked"), (b"content-length", b"1")), body(b"hello")],
            b"hello",
        ),
        (
            "GET",
            [start((b"content-length", b"1"), (b"transfer-encoding", b"Chunked")), body(b"hello")],
            b"hello",
        ),
    ],
)
def test_what_a_client_would_have_whole_is_the_response(
    method: str, messages: Any, content: bytes
) -> None:
    response, _ = exchanged(*messages, method=method)
    assert response is not None
    assert response["body"] == content


def test_a_name_that_uvicorn_sends_is_sent() -> None:
    response, _ = exchanged(start((b"A/b?", b"c"), (b"X-\xc9", b"d")), body())
    assert response is not None
    assert response["headers"][1:] == [("a/b?", "c"), ("x-\xc9", "d")]


def test_a_body_that_was_not_asked_for_is_gone_once_the_response_is_complete() -> None:
    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(body())
        assert await receive() == {"type": "http.disconnect"}
        seen.append(True)

    seen: list[bool] = []
    asyncio.run(Exchange("POST", b"a", 1000, "req-1").run(app, {}))
    assert seen == [True]


def test_the_disconnect_comes_once_the_response_is_complete() -> None:
    seen = []

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        async def listen() -> None:
            for _ in range(3):
                seen.append((await receive())["type"])

        listening = asyncio.ensure_future(listen())
        await asyncio.sleep(0)
        await send(START)
        await send(body(b"", more=True))
        assert seen == ["http.request"]
        await send(body())
        await listening

    asyncio.run(Exchange("GET", b"a", 1000, "req-1").run(app, {}))
    assert seen == ["http.request", "http.disconnect", "http.disconnect"]
