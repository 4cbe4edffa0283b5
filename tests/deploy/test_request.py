"""What `twofold invoke` may be asked, and what it then asks."""

from __future__ import annotations

from typing import Any

import pytest

from deploy.errors import SettingsError
from deploy.question import Question
from deploy.request import Direct, Http, Message, On, Typed, request


def read(file: str) -> bytes:
    return b'{"from": "%s"}' % file.encode()


def asked(**typed: Any) -> Direct | Http | Message:
    return request(Typed(**typed), read)


def refused(**typed: Any) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        asked(**typed)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("typed", "payload"),
    [
        ({}, b"{}"),
        ({"payload": '{"name": "Ada"}'}, b'{"name": "Ada"}'),
        ({"payload": "0"}, b"0"),
        ({"payload": "-"}, b'{"from": "-"}'),
        ({"file": "event.json"}, b'{"from": "event.json"}'),
        ({"on": "lambda"}, b"{}"),
    ],
)
def test_a_payload_goes_straight_to_the_function(typed: dict[str, Any], payload: bytes) -> None:
    assert asked(**typed) == Direct(payload)


@pytest.mark.parametrize(
    ("typed", "question", "on"),
    [
        ({}, Question("/x"), "both"),
        ({"on": "instance"}, Question("/x"), "instance"),
        ({"body": "a"}, Question("/x", "POST", (), b"a"), "both"),
        ({"body": ""}, Question("/x", "POST", (), b""), "both"),
        ({"file": "b"}, Question("/x", "POST", (), b'{"from": "b"}'), "both"),
        ({"method": "PUT", "body": "a"}, Question("/x", "PUT", (), b"a"), "both"),
        (
            {"headers": ("A: 1", "a:2")},
            Question("/x", "GET", (("A", "1"), ("a", "2")), b""),
            "both",
        ),
    ],
)
def test_http_asks_both_sides_unless_told_otherwise(
    typed: dict[str, Any], question: Question, on: On
) -> None:
    assert asked(path="/x", **typed) == Http(question, on)


@pytest.mark.parametrize("on", ["instance", "both"])
def test_an_instance_takes_no_direct_invocation_and_says_so(on: str) -> None:
    assert refused(on=on) == [
        "An instance takes no direct invocations; only the Lambda side does. "
        "Ask an instance with --http PATH, or leave out --on."
    ]


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert refused(path="x", payload="{}", body="a", file="b", headers=("nonsense",)) == [
        "PAYLOAD is for a direct invocation. With --http pass --body.",
        "--body and --file are both given. Leave one of them out.",
        "--http is 'x'; expected a path such as /healthz.",
        "header 'nonsense'; expected a form like 'Accept: text/plain'.",
    ]
    assert refused(payload="{}", file="b", method="PUT", headers=("A: 1",), body="a") == [
        "--method is for HTTP. Pass --http PATH with it.",
        "--header is for HTTP. Pass --http PATH with it.",
        "--body is for HTTP. Pass --http PATH with it.",
        "PAYLOAD and --file are both given. Leave one of them out.",
    ]


def test_a_payload_that_is_no_json_shows_how_to_quote_it() -> None:
    (line,) = refused(payload="{name: Ada}")
    assert line.startswith("The payload '{name: Ada}' is not JSON: ")
    assert line.endswith("""as in: twofold invoke '{"name": "Ada"}'""")


def test_a_payload_may_go_to_a_queue() -> None:
    assert asked(queue="orders", payload='{"order": 7}') == Message("orders", b'{"order": 7}')
    assert asked(queue="orders", file="order.json") == Message("orders", b'{"from": "order.json"}')


def test_a_queue_is_no_side_and_no_path() -> None:
    assert refused(queue="orders", on="instance") == [
        "The topology says which side works off a queue. Leave out --on."
    ]
    assert refused(queue="orders", path="/") == [
        "--http and --queue are both given. Leave one of them out."
    ]
