"""The verdict on replies and errors finds what it is there to find."""

from __future__ import annotations

from typing import Any

import pytest

from service.errors import MalformedEventError, UnhandledEventError
from tests.robustness import trial, verdict
from tests.robustness.echo import Sent, router
from tests.robustness.shrink import smallest
from tests.service.events import function_url

REPLY = {
    "statusCode": 200,
    "headers": {"x-a": "b"},
    "body": "AP8=",
    "isBase64Encoded": True,
}
SENT = Sent("GET", 200, [(b"x-a", b"b")], b"\x00\xff")


def of(balancer: bool = False, **changes: Any) -> list[str]:
    return list(verdict.of_result(REPLY | changes, SENT, balancer=balancer))


def test_a_reply_that_says_what_was_sent_is_right() -> None:
    assert of() == []


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"statusCode": "200"}, "no status: '200'"),
        ({"statusCode": True}, "no status: True"),
        ({"body": None}, "the reply's body has another type: None"),
        ({"headers": {"x-a": "b\r\nInjected: yes"}}, "no header's value in the reply"),
        ({"headers": {"x a": "b"}}, "no header's name in the reply: 'x a'"),
        ({"headers": {"injected": "b"}}, "the reply has headers that were not sent"),
        ({"cookies": ["a=1\n"]}, "no header's value in the reply: 'set-cookie'"),
        ({"multiValueHeaders": {"x-a": [1]}}, "no header's value in the reply: 'x-a' 1"),
        ({"isBase64Encoded": False}, "the body is another: 'AP8='"),
        ({"body": "AP8"}, "the body is another: 'AP8'"),
        ({"body": "\ud800", "isBase64Encoded": False}, "the reply cannot be written as UTF-8"),
        ({"body": "a" * verdict.LIMIT}, "the reply is too large"),
        ({"statusCode": 404}, "a reply of our own has headers: ['x-a']"),
        ({"extra": 1}, "it is no reply"),
    ],
)
def test_a_reply_that_is_wrong_is_found(changes: dict[str, Any], complaint: str) -> None:
    assert of(**changes)[0].startswith(complaint)


def test_a_load_balancer_takes_one_form_of_headers() -> None:
    assert of(balancer=True) == []
    complaints = of(balancer=True, multiValueHeaders={"x-a": ["b"]})
    assert complaints == ["a load balancer takes either headers or multiValueHeaders"]


@pytest.mark.parametrize(
    ("error", "complaint"),
    [
        (KeyError("headers"), "it raised KeyError"),
        (SystemExit(1), "it raised SystemExit"),
        (MalformedEventError("no"), "the error's text has another length"),
        (MalformedEventError("x" * 9_000), "the error's text has another length"),
        (UnhandledEventError("Nobody handles\n[ERROR]"), "the error's text holds what cannot be"),
        (UnhandledEventError("Nobody handles \ud800 here."), "the error's text cannot be written"),
    ],
)
def test_an_error_that_is_not_clear_is_found(error: BaseException, complaint: str) -> None:
    assert next(verdict.of_error(error)).startswith(complaint)


def test_a_line_forged_in_the_log_and_a_changed_answer_are_found() -> None:
    answers = iter(range(1000))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise NotImplementedError
        body = str(next(answers)).encode()
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": body})
        running._log.write("forged\n")

    with trial.trial(app, router()) as running:
        running.try_event(function_url())
        kinds = {trial.kind_of(complaint) for complaint in running.between()}
    assert kinds == {"forged in the log", "plain events are answered otherwise"}


def test_an_event_shrinks_to_what_is_wrong_with_it() -> None:
    event = function_url() | {"body": "a" * 5_000 + "!" + "b" * 5_000}
    assert smallest(event, lambda changed: "!" in changed.get("body", "")) == {"body": "!"}
