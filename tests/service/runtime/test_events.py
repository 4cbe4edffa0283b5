"""service.runtime.events: which event is this, and which handler takes it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from service.errors import UnhandledEventError
from service.runtime.events import INVOKE, EventRouter, Kind, kind_of
from tests.service import events as made

KINDS = [
    (made.sqs("a"), ("aws:sqs", None)),
    (made.s3(), ("aws:s3", None)),
    (made.sns(), ("aws:sns", None)),
    (made.dynamodb(), ("aws:dynamodb", None)),
    (made.kinesis(), ("aws:kinesis", None)),
    (made.schedule(), ("aws.events", "Scheduled Event")),
    (made.event_bridge(), ("shop.orders", "OrderPlaced")),
    (made.web_socket(), ("aws:websocket", None)),
    ({"order": 7}, INVOKE),
    ({"Records": []}, INVOKE),
    ({"Records": [{"eventSource": 7}]}, INVOKE),
    ({"source": "shop"}, INVOKE),
    ([1, 2], INVOKE),
    ("text", INVOKE),
    (7, INVOKE),
    (None, INVOKE),
]


def dispatched(router: EventRouter, event: Any) -> Any:
    return asyncio.run(router.dispatch(event))


@pytest.mark.parametrize(("event", "kind"), KINDS)
def test_an_event_is_known_by_its_shape(event: Any, kind: Kind) -> None:
    assert kind_of(event) == kind


@pytest.mark.parametrize("event", [made.sqs("a"), made.s3(), made.sns(), made.kinesis()])
def test_the_handler_of_a_source_gets_the_event_as_it_came(event: Any) -> None:
    router = EventRouter()
    router.on(kind_of(event)[0])(lambda given: ("mine", given))
    router.on("aws:other")(lambda _: "not mine")
    assert dispatched(router, event) == ("mine", event)


def test_an_async_handler_is_awaited() -> None:
    router = EventRouter()

    @router.on("aws:sqs")
    async def orders(event: Any) -> int:
        await asyncio.sleep(0)
        return len(event["Records"])

    assert dispatched(router, made.sqs("a", "b")) == 2


def test_a_detail_type_goes_before_its_source() -> None:
    router = EventRouter()
    router.on("shop.orders")(lambda _: "any")
    router.on("shop.orders", "OrderPlaced")(lambda _: "placed")
    assert dispatched(router, made.event_bridge()) == "placed"
    assert dispatched(router, made.event_bridge(detail_type="OrderGone")) == "any"


@pytest.mark.parametrize("payload", [{"a": 1}, {}, [1], "text", 7, 1.5, True, None])
def test_any_other_json_is_a_direct_invoke(payload: Any) -> None:
    router = EventRouter()
    router.invoke(lambda given: [given])
    assert dispatched(router, payload) == [payload]


def test_a_decorated_function_stays_as_it_is() -> None:
    def orders(_: Any) -> None: ...

    assert EventRouter().on("aws:sqs")(orders) is orders
    assert EventRouter().invoke(orders) is orders


def test_an_aws_event_never_falls_to_the_direct_invoke() -> None:
    router = EventRouter()
    router.invoke(lambda _: "wrong")
    with pytest.raises(UnhandledEventError):
        dispatched(router, made.sqs("a"))


def test_an_unhandled_event_names_what_came_what_is_handled_and_what_to_do() -> None:
    router = EventRouter()
    router.on("aws:s3")(print)
    router.on("shop.orders", "OrderPlaced")(print)
    with pytest.raises(UnhandledEventError) as error:
        dispatched(router, made.sqs("a"))
    assert str(error.value) == (
        "Nobody handles the event aws:sqs (keys: Records). "
        "Handled: HTTP (Function URL, HTTP API, REST API, load balancer), "
        "aws:s3, shop.orders / OrderPlaced. "
        "Add a function under @events.on('aws:sqs') to service/handler.py."
    )


@pytest.mark.parametrize(
    ("event", "shape", "decorator"),
    [
        (made.event_bridge(), "shop.orders / OrderPlaced", "on('shop.orders', 'OrderPlaced')"),
        ([1], "direct invoke (a JSON array)", "invoke"),
        ({}, "direct invoke (no keys)", "invoke"),
        ({"b": 1, "a": 2}, "direct invoke (keys: a, b)", "invoke"),
        (None, "direct invoke (a JSON null)", "invoke"),
        (1.5, "direct invoke (a JSON number)", "invoke"),
        (True, "direct invoke (a JSON boolean)", "invoke"),
    ],
)
def test_an_unhandled_event_is_described_by_its_shape(
    event: Any, shape: str, decorator: str
) -> None:
    with pytest.raises(UnhandledEventError) as error:
        dispatched(EventRouter(), event)
    assert f"Nobody handles the event {shape}" in str(error.value)
    assert f"Add a function under @events.{decorator} to" in str(error.value)


def test_two_handlers_of_one_kind_are_an_error_that_names_the_first() -> None:
    router = EventRouter()

    @router.on("aws:sqs")
    def orders(_: Any) -> None: ...

    with pytest.raises(ValueError, match=r"aws:sqs already has the handler '.*orders'; keep one\."):
        router.on("aws:sqs")(print)
