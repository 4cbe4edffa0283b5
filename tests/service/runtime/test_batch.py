"""service.runtime.batch: which records of a batch failed, as Lambda wants to be told."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from service.errors import HandlerTimeoutError
from service.runtime.event_handler import Runtime
from service.runtime.events import EventRouter
from tests.service import events as made
from tests.service.conftest import Log

Fails = Callable[[Any], bool]


class Taken(list[Any]):
    """A record handler that keeps what it was given, and raises where it is told to."""

    def __init__(self, *failing: str) -> None:
        self._failing = failing

    def __call__(self, text: str) -> None:
        self.append(text)
        if text in self._failing:
            raise ValueError(text)


def result(source: str, event: Any, taken: Taken, text: Callable[[Any], str]) -> Any:
    router = EventRouter()
    router.each(source, typed=text)(taken)
    return asyncio.run(router.dispatch(event, Runtime())).result


def failed(*identifiers: str) -> Any:
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in identifiers]}


def body(record: Any) -> str:
    return str(record["body"])


def messages(*bodies: str, groups: Sequence[str] = ()) -> Any:
    event = made.sqs(*bodies)
    for record in event["Records"]:
        record["messageId"] = f"id-{record['body']}"
    for record, group in zip(event["Records"], groups, strict=bool(groups)):
        record["attributes"]["MessageGroupId"] = group
        record["eventSourceARN"] += ".fifo"
    return event


def kinesis(record: Any) -> str:
    return str(record["kinesis"]["sequenceNumber"])


def dynamodb(record: Any) -> str:
    return str(record["dynamodb"]["SequenceNumber"])


def stream(*numbers: str, part: str, name: str) -> Any:
    event = getattr(made, part)()
    (record,) = event["Records"]
    return {"Records": [record | {part: record[part] | {name: number}} for number in numbers]}


def test_a_message_that_raises_fails_alone() -> None:
    taken = Taken("b")
    assert result("aws:sqs", messages("a", "b", "c"), taken, body) == failed("id-b")
    assert taken == ["a", "b", "c"]


def test_no_failure_is_an_empty_list() -> None:
    assert result("aws:sqs", messages("a"), Taken(), body) == failed()


def test_all_failures_are_reported_not_raised() -> None:
    assert result("aws:sqs", messages("a", "b"), Taken("a", "b"), body) == failed("id-a", "id-b")


def test_after_a_failure_its_message_group_is_left_and_others_go_on() -> None:
    taken = Taken("b")
    event = messages("a", "b", "c", "d", "e", groups=["x", "y", "x", "y", "x"])
    assert result("aws:sqs", event, taken, body) == failed("id-b", "id-d")
    assert taken == ["a", "b", "c", "e"]


def test_a_message_that_is_there_twice_is_done_when_neither_copy_failed() -> None:
    assert result("aws:sqs", messages("a", "a", "b"), Taken("b"), body) == failed("id-b")
    assert result("aws:sqs", messages("a", "b", "b"), Taken("b"), body) == failed("id-b")


def test_the_groups_of_a_standard_queue_have_no_order() -> None:
    taken = Taken("a")
    event = messages("a", "b", groups=["tenant", "tenant"])
    for record in event["Records"]:
        record["eventSourceARN"] = record["eventSourceARN"].removesuffix(".fifo")
    assert result("aws:sqs", event, taken, body) == failed("id-a")
    assert taken == ["a", "b"]


@pytest.mark.parametrize(
    ("part", "name", "text"),
    [("kinesis", "sequenceNumber", kinesis), ("dynamodb", "SequenceNumber", dynamodb)],
)
def test_a_stream_is_left_at_its_first_failure(part: str, name: str, text: Any) -> None:
    taken = Taken("2", "3")
    event = stream("1", "2", "3", part=part, name=name)
    assert result(f"aws:{part}", event, taken, text) == failed("2")
    assert taken == ["1", "2"]


def notifications(*texts: str) -> Any:
    (record,) = made.sns()["Records"]
    return {"Records": [record | {"Sns": {"Message": text}} for text in texts]}


def message(record: Any) -> str:
    return str(record["Sns"]["Message"])


def test_elsewhere_one_failure_is_raised_after_all_were_tried() -> None:
    taken = Taken("a")
    with pytest.raises(ValueError, match="a"):
        result("aws:sns", notifications("a", "b"), taken, message)
    assert taken == ["a", "b"]


def test_elsewhere_several_failures_are_raised_together() -> None:
    with pytest.raises(ExceptionGroup, match="2 of 3 records failed") as group:
        result("aws:sns", notifications("a", "b", "c"), Taken("a", "c"), message)
    assert [str(error) for error in group.value.exceptions] == ["a", "c"]


def test_elsewhere_success_has_no_result() -> None:
    assert result("aws:sns", notifications("a"), Taken(), message) is None


def test_an_event_without_records_is_a_record() -> None:
    taken = Taken()
    result("aws.events", made.schedule(), taken, lambda event: str(event["detail-type"]))
    assert taken == ["Scheduled Event"]


def test_a_failed_record_is_logged_with_its_identifier(log: Log) -> None:
    result("aws:sqs", messages("a"), Taken("a"), body)
    (line,) = log.of("service.event")
    assert (line["level"], line["message"], line["record"]) == (
        "ERROR",
        "Record id-a failed",
        "id-a",
    )
    assert "ValueError: a" in line["exception"]


def test_a_record_that_awaits_a_cancelled_task_fails_alone() -> None:
    router = EventRouter()

    @router.each("aws:sqs")
    async def cancelled(record: Any) -> None:
        task = asyncio.ensure_future(asyncio.sleep(0))
        if record["body"] == "a":
            task.cancel()
        await task

    dispatched = router.dispatch(messages("a", "b"), Runtime())
    assert asyncio.run(dispatched).result == failed("id-a")


def test_a_record_that_exits_fails_alone(log: Log) -> None:
    router = EventRouter()

    @router.each("aws:sqs", queue="orders")
    def leaves(record: Any) -> None:
        if record["body"] == "a":
            sys.exit(2)

    outcome = asyncio.run(router.dispatch(messages("a", "b"), Runtime()))
    assert outcome.result == failed("id-a")
    assert str(outcome.failed["id-a"]) == (
        "The handler 'test_a_record_that_exits_fails_alone.<locals>.leaves' of aws:sqs queue "
        "orders tried to end the process: SystemExit(2). Raise an error that says what "
        "is wrong with the event."
    )
    (line,) = log.of("service.event")
    assert line["message"] == "Record id-a failed"


class Odd(BaseException):
    """What a library takes to stop, and lets out by mistake."""


@pytest.mark.parametrize("raised", [BaseExceptionGroup("of anyio", [SystemExit(3)]), Odd("a")])
def test_a_record_that_raises_what_is_no_exception_fails_alone(
    log: Log, raised: BaseException
) -> None:
    router = EventRouter()

    @router.each("aws:sqs", typed=body)
    async def fails(text: str) -> None:
        if text == "b":
            raise raised

    assert asyncio.run(router.dispatch(messages("a", "b"), Runtime())).result == failed("id-b")


@pytest.mark.parametrize("ends", [KeyboardInterrupt, GeneratorExit])
def test_what_means_the_process_goes_on_its_way(ends: type[BaseException]) -> None:
    router = EventRouter()

    @router.each("aws:sqs")
    def ending(_: Any) -> None:
        raise ends

    with pytest.raises(ends):
        asyncio.run(router.dispatch(messages("a"), Runtime()))


LATE = (
    "as the time of the function's invocation is over. Raise timeout_seconds, take fewer records "
    "at once, or declare runtime='instance'."
)


def in_time(source: str, event: Any, handler: Any, seconds: float = 1.0) -> Any:
    """What comes of an event when the function may run for so long."""
    router = EventRouter()
    router.each(source)(handler)
    runtime = Runtime(deadline=time.monotonic() + seconds)
    return asyncio.run(router.dispatch(event, runtime)).result


async def stuck_at_b(record: Any) -> None:
    if record["body"] == "b":
        await asyncio.Event().wait()


def blocks_in_b(record: Any) -> None:
    if record["body"] == "b":
        time.sleep(1.1)


def test_what_is_under_way_and_what_was_not_tried_when_time_is_over_has_failed(log: Log) -> None:
    event = messages("a", "b", "c", "d")
    assert in_time("aws:sqs", event, stuck_at_b) == failed("id-b", "id-c", "id-d")
    cut_off, untried = log.of("service.event")
    assert (cut_off["message"], cut_off["record"]) == ("Record id-b failed", "id-b")
    assert (untried["level"], untried["message"]) == (
        "ERROR",
        f"2 of 4 records were not tried, {LATE}",
    )


def test_before_each_record_there_is_a_look_whether_time_is_left(log: Log) -> None:
    assert in_time("aws:sqs", messages("a", "b", "c"), blocks_in_b) == failed("id-c")
    (line,) = log.of("service.event")
    assert line["message"] == f"1 of 3 records were not tried, {LATE}"


def test_a_stream_is_read_again_from_what_was_not_tried(log: Log) -> None:
    event = stream("1", "2", "3", part="kinesis", name="sequenceNumber")
    assert in_time("aws:kinesis", event, lambda _: time.sleep(1.1)) == failed("2")
    (line,) = log.of("service.event")
    assert line["message"] == f"2 of 3 records were not tried, {LATE}"


def test_elsewhere_what_was_not_tried_is_an_error() -> None:
    event = notifications("a", "b")
    with pytest.raises(HandlerTimeoutError) as error:
        in_time("aws:sns", event, lambda _: time.sleep(1.1))
    assert str(error.value) == f"1 of 2 records were not tried, {LATE}"


def test_elsewhere_what_was_not_tried_is_raised_beside_what_failed() -> None:
    def fails_late(_: Any) -> None:
        time.sleep(1.1)
        raise ValueError("a")

    with pytest.raises(ExceptionGroup, match="3 of 3 records failed") as group:
        in_time("aws:sns", notifications("a", "b", "c"), fails_late)
    assert [type(error) for error in group.value.exceptions] == [ValueError, HandlerTimeoutError]
