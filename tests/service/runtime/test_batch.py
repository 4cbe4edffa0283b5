"""service.runtime.batch: which records of a batch failed, as Lambda wants to be told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

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
    return asyncio.run(router.dispatch(event, Runtime()))


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
    assert asyncio.run(dispatched) == failed("id-a")
