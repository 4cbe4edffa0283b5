"""service.runtime.events: which handler takes an event, where, and for how long."""

from __future__ import annotations

import asyncio
import functools
import inspect
import re
import time
from dataclasses import replace
from typing import Any

import pytest

from service.errors import BatchReplyError, HandlerTimeoutError, UnhandledEventError
from service.runtime.event_handler import Place, Runtime
from service.runtime.event_kind import INVOKE, Kind, kind_of
from service.runtime.events import EventRouter
from tests.service import events as made

KINDS = [
    (made.sqs("a"), Kind("aws:sqs", queue="orders")),
    (made.s3(), Kind("aws:s3")),
    (made.sns(), Kind("aws:sns")),
    (made.dynamodb(), Kind("aws:dynamodb")),
    (made.kinesis(), Kind("aws:kinesis")),
    (made.schedule(), Kind("aws.events", "Scheduled Event")),
    (made.event_bridge(), Kind("shop.orders", "OrderPlaced")),
    (made.web_socket(), Kind("aws:websocket")),
    ({"eventSource": "aws:kafka", "records": {}}, Kind("aws:kafka")),
    ({"Records": [{"cf": {"request": {}}}]}, Kind("aws:cloudfront")),
    ({"awslogs": {"data": "H4sI"}}, Kind("aws:logs")),
    ({"deliveryStreamArn": "arn", "records": []}, Kind("aws:firehose")),
    ({"triggerSource": "PreSignUp_SignUp", "userPoolId": "x"}, Kind("aws:cognito")),
    ({"type": "TOKEN", "methodArn": "arn"}, Kind("aws:apigateway")),
    ({"type": "REQUEST", "routeArn": "arn", "version": "2.0"}, Kind("aws:apigateway")),
    ({"RequestType": "Create", "ResponseURL": "https://x"}, Kind("aws:cloudformation")),
    ({"CodePipeline.job": {}}, Kind("aws:codepipeline")),
    ({"invokingEvent": "{}", "configRuleName": "x"}, Kind("aws:config")),
    ({"order": 7}, INVOKE),
    ({"Records": []}, INVOKE),
    ({"Records": [{"eventSource": 7}]}, INVOKE),
    ({"Records": [{"eventSource": "aws:sqs"}]}, Kind("aws:sqs")),
    ({"source": "shop"}, INVOKE),
    ([1, 2], INVOKE),
    ("text", INVOKE),
    (7, INVOKE),
    (None, INVOKE),
]


LAMBDA = Runtime("lambda", {"work": "https://sqs.eu-central-1.amazonaws.com/123456789012/orders"})
INSTANCE = Runtime("instance", LAMBDA.queues)


def dispatched(router: EventRouter, event: Any, runtime: Runtime = LAMBDA) -> Any:
    return asyncio.run(router.dispatch(event, runtime)).result


def reply(failed: list[str]) -> dict[str, Any]:
    """As a handler of a whole batch reports failures."""
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}


@pytest.mark.parametrize(("event", "kind"), KINDS)
def test_an_event_is_known_by_its_shape(event: Any, kind: Kind) -> None:
    assert kind_of(event) == kind


@pytest.mark.parametrize("event", [made.s3(), made.sns(), made.schedule()])
def test_the_handler_of_a_source_gets_the_event_as_it_came(event: Any) -> None:
    router = EventRouter()
    router.on(kind_of(event)[0])(lambda given: ("mine", given))
    router.on("aws:other")(lambda _: "not mine")
    assert dispatched(router, event) == ("mine", event)


def test_an_async_handler_is_awaited() -> None:
    router = EventRouter()

    @router.on("aws:sqs")
    async def orders(event: Any) -> dict[str, Any]:
        await asyncio.sleep(0)
        return reply([event["Records"][1]["messageId"]])

    event = made.sqs("a", "b")
    assert dispatched(router, event) == reply([event["Records"][1]["messageId"]])


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
    router.on("aws:sqs", queue="late", runtime="instance")(print)
    with pytest.raises(UnhandledEventError) as error:
        dispatched(router, made.sqs("a"))
    assert str(error.value) == (
        "Nobody handles the event aws:sqs queue orders (keys: Records). "
        "Handled: HTTP (Function URL, HTTP API, REST API, load balancer), "
        "aws:s3, shop.orders / OrderPlaced, aws:sqs queue late (on an instance). "
        "Add a function under @events.on('aws:sqs', queue='work') to service/handler.py."
    )  # the stack's name of the queue, which holds in every stage


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


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({"source": "a\n[ERROR] b", "detail-type": "\ud800"}, r"event a\n[ERROR] b / \ud800 ("),
        ({"source": "a" * 101, "detail-type": "x"}, f"event {'a' * 100}... / x ("),
        ({"\r": 1, "b" * 200: 2}, rf"(keys: \r, {'b' * 100}...)"),
        (dict.fromkeys(map(str, range(100, 120))), "110, 111 and 8 more)"),
    ],
)
def test_what_an_event_says_of_itself_is_shown_short_and_printable(event: Any, told: str) -> None:
    with pytest.raises(UnhandledEventError) as error:
        dispatched(EventRouter(), event)
    assert told in str(error.value)
    assert str(error.value).isascii()
    assert str(error.value).isprintable()


def test_two_handlers_of_one_kind_are_an_error_that_names_both() -> None:
    router = EventRouter()

    @router.on("aws:sqs")
    def orders(_: Any) -> None: ...

    with pytest.raises(ValueError, match="has the handler") as error:
        router.on("aws:sqs")(print)
    assert str(error.value) == (
        f"aws:sqs has the handler {orders.__qualname__!r} already; keep it or 'print'."
    )


def took(router: EventRouter, event: Any) -> Any:
    """The name under which the handler that took the event was declared."""
    return dispatched(router, event)["taken by"]


def test_a_queue_goes_before_its_source_by_both_of_its_names() -> None:
    router = EventRouter()
    router.on("aws:sqs")(lambda _: reply([]) | {"taken by": "any"})
    assert took(router, made.sqs("a")) == "any"
    router.on("aws:sqs", queue="work")(lambda _: reply([]) | {"taken by": "the stack's name"})
    assert took(router, made.sqs("a")) == "the stack's name"
    router.on("aws:sqs", queue="orders")(lambda _: reply([]) | {"taken by": "SQS's name"})
    assert took(router, made.sqs("a")) == "SQS's name"


def test_another_queue_is_not_taken() -> None:
    router = EventRouter()
    router.on("aws:sqs", queue="order")(print)
    with pytest.raises(UnhandledEventError, match="Nobody handles the event aws:sqs queue orders"):
        dispatched(router, made.sqs("a"))


@pytest.mark.parametrize(
    ("place", "runtime", "came", "runs"),
    [
        ("lambda", INSTANCE, "on an instance", "on Lambda"),
        ("instance", LAMBDA, "on Lambda", "on an instance"),
    ],
)
def test_a_handler_stays_in_its_runtime(
    place: Place, runtime: Runtime, came: str, runs: str
) -> None:
    router = EventRouter()
    router.on("aws:sqs", queue="work", runtime=place)(print)
    with pytest.raises(UnhandledEventError) as error:
        dispatched(router, made.sqs("a"), runtime)
    assert str(error.value) == (
        f"The event aws:sqs queue work came {came}, but its handler 'print' runs {runs} only. "
        f"Send it there, or declare runtime='either'."
    )


@pytest.mark.parametrize(
    ("place", "runtime"),
    [("lambda", LAMBDA), ("instance", INSTANCE), ("either", LAMBDA), ("either", INSTANCE)],
)
def test_a_handler_runs_where_it_may(place: Place, runtime: Runtime) -> None:
    router = EventRouter()
    router.on("aws:s3", runtime=place)(lambda _: "taken")
    assert dispatched(router, made.s3(), runtime) == "taken"


@pytest.mark.parametrize("place", ["lambda", "either"])
def test_a_timeout_over_lambdas_limit_is_refused_where_the_handler_is_declared(
    place: Place,
) -> None:
    with pytest.raises(ValueError, match="timeout is") as error:
        EventRouter().on("aws:sqs", queue="late", runtime=place, timeout=901)(print)
    assert str(error.value) == (
        "@events.on('aws:sqs', queue='late') 'print': timeout is 901 s, but Lambda ends a "
        "function after 900 s. Declare runtime='instance', or a timeout of at most 900."
    )


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({"source": "aws:sqs", "runtime": "ec2"}, "runtime is 'ec2'; expected one of lambda, "),
        ({"source": "aws:s3", "queue": "work"}, "queue= is for 'aws:sqs' only."),
        ({"source": "aws:s3", "timeout": 0}, "timeout is 0; expected seconds, more than 0."),
        ({"source": "aws:s3", "timeout": True}, "timeout is True; expected seconds, more than 0."),
        ({"source": "aws:s3", "timeout": "5m"}, "timeout is '5m'; expected seconds, more than 0."),
        ({"source": "aws:s3", "timeout": float("nan")}, "timeout is nan; expected seconds, "),
        (
            {"source": "aws:sqs", "detail_type": "reports"},
            "a detail type is for EventBridge's sources only; name a queue by queue=.",
        ),
        (
            {"source": "aws:sqs", "typed": "SQSRecord"},
            "typed is 'SQSRecord'; expected a class or function that takes the event.",
        ),
        (
            {"source": "aws:sqs", "runtime": "instance", "timeout": 43_201},
            "SQS keeps a message from others for 43200 s at most.",
        ),
    ],
)
def test_a_declaration_that_can_hold_nowhere_is_refused(declared: Any, told: str) -> None:
    with pytest.raises(ValueError, match="@events") as error:
        EventRouter().on(**declared)(print)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("source", "queue", "told"),
    [
        (print, None, "The source of an event handler is <built-in function print>; expected text"),
        ("", None, "The source of an event handler is ''; expected text, as in @events.on("),
        ("aws:sqs", "", "The queue of an event handler is ''; expected text, as in"),
        ("aws:sqs", 5, "The queue of an event handler is 5; expected text, as in"),
    ],
)
def test_what_names_no_event_is_refused(source: Any, queue: Any, told: str) -> None:
    for declare in (EventRouter().on, EventRouter().each):
        with pytest.raises(ValueError, match="event handler") as error:
            declare(source, queue=queue)
        assert str(error.value).startswith(told)


def _yields(_event: Any) -> Any:
    yield 1


async def _yields_later(_event: Any) -> Any:
    yield 1


def _takes_nothing() -> None: ...


def _takes_a_context(_event: Any, _context: Any) -> None: ...


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (_yields, "it has a `yield`, so calling it does nothing. Write it without."),
        (_yields_later, "it has a `yield`, so calling it does nothing. Write it without."),
        (_takes_nothing, "called with the record and nothing else, but too many positional argum"),
        (_takes_a_context, "the record and nothing else, but missing a required argument: '_con"),
    ],
)
def test_a_function_that_cannot_take_an_event_is_refused(function: Any, told: str) -> None:
    with pytest.raises(ValueError, match=f"^@events.each.'aws:s3'. '{function.__name__}': ") as e:
        EventRouter().each("aws:s3")(function)
    assert told in str(e.value)


def test_a_function_is_taken_as_it_is_called_and_not_as_what_it_wraps() -> None:
    @functools.wraps(_takes_a_context)
    def wrapper(event: Any) -> None: ...

    assert EventRouter().on("aws:s3")(wrapper) is wrapper


def test_a_function_that_says_what_another_takes_is_not_judged_by_it() -> None:
    def passes_more(event: Any) -> None: ...

    passes_more.__signature__ = inspect.signature(_takes_a_context)  # type: ignore[attr-defined]
    assert EventRouter().on("aws:s3")(passes_more) is passes_more


@pytest.mark.parametrize("timeout", [900, None])
def test_lambdas_limit_itself_is_no_problem(timeout: float | None) -> None:
    assert EventRouter().on("aws:sqs", timeout=timeout)(print) is print
    assert EventRouter().on("aws:s3", timeout=100_000, runtime="instance")(print) is print


def test_an_async_handler_that_takes_too_long_is_cut_off() -> None:
    router = EventRouter()

    @router.on("aws:s3", timeout=0.01)
    async def slow(_: Any) -> None:
        await asyncio.Event().wait()

    with pytest.raises(HandlerTimeoutError, match=r"slow' of aws:s3 took longer .* of 0\.01 s"):
        dispatched(router, made.s3())


@pytest.mark.parametrize("timeout", [None, 60])
def test_an_async_handler_is_cut_off_when_the_function_has_no_time_left(
    timeout: float | None,
) -> None:
    router = EventRouter()

    @router.on("aws:s3", timeout=timeout)
    async def slow(_: Any) -> None:
        await asyncio.Event().wait()

    deadline = time.monotonic() + 0.05
    with pytest.raises(HandlerTimeoutError) as error:
        dispatched(router, made.s3(), replace(LAMBDA, deadline=deadline))
    assert time.monotonic() >= deadline
    seconds = re.search(r"after (.*) s:", str(error.value))
    assert seconds is not None
    assert str(error.value) == (
        f"The handler {slow.__qualname__!r} of aws:s3 was cut off after {seconds[1]} s: the time "
        "of the function's invocation is over. Raise timeout_seconds, take fewer records at once, "
        "or declare runtime='instance'."
    )


def test_a_handlers_own_timeout_error_stays_its_own() -> None:
    router = EventRouter()

    @router.on("aws:s3", timeout=60)
    async def refused(_: Any) -> None:
        raise TimeoutError("the database")

    with pytest.raises(TimeoutError, match="the database"):
        dispatched(router, made.s3())


def test_a_handler_gets_the_typed_value_that_it_asks_for() -> None:
    router = EventRouter()
    router.on("aws:s3", typed=lambda event: len(event["Records"]))(lambda count: count + 1)
    assert dispatched(router, made.s3()) == 2


def test_a_record_handler_gets_the_typed_record() -> None:
    router = EventRouter()
    seen: list[str] = []
    router.each("aws:sqs", typed=lambda record: record["body"])(seen.append)
    dispatched(router, made.sqs("a", "b"))
    assert seen == ["a", "b"]


@pytest.mark.parametrize("failed", [None, [], ["1"]])
def test_a_whole_batch_handler_may_report_failures_itself(failed: Any) -> None:
    event = made.sqs("a", "b")
    items = failed and [{"itemIdentifier": event["Records"][1]["messageId"]}]
    router = EventRouter()
    router.on("aws:sqs")(lambda _: {"batchItemFailures": items})
    assert dispatched(router, event) == {"batchItemFailures": items}


@pytest.mark.parametrize(
    ("result", "told"),
    [
        ("done", "'done'"),
        ([], "[]"),
        ({"batchItemFailures": "a"}, "{'batchItemFailures': 'a'}"),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, "''"),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, "None"),
        ({"batchItemFailures": [{"messageId": "a"}]}, "None"),
        ({"batchItemFailures": [{"itemIdentifier": "unknown"}]}, "'unknown'"),
        ({"batchItemFailures": [{"itemIdentifier": ["unhashable"]}]}, "['unhashable']"),
        ({"batchItemFailures": ["a"]}, "'a'"),
        # These Lambda would take for a success, and delete what failed.
        ({"BatchItemFailures": []}, "{'BatchItemFailures': []}"),
        ({"statusCode": 200}, "{'statusCode': 200}"),
    ],
)
def test_a_result_that_reports_nothing_that_lambda_understands_is_an_error(
    result: Any, told: str
) -> None:
    router = EventRouter()
    router.on("aws:sqs")(lambda _: result)
    with pytest.raises(BatchReplyError) as error:
        dispatched(router, made.sqs("a", "b"))
    assert str(error.value) == (
        f"The handler's result holds {told}; expected nothing, or "
        "{'batchItemFailures': [{'itemIdentifier': ...}]} with identifiers of the batch's records."
    )
