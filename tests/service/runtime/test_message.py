"""service.runtime.message: what may run at once, and when a failed message comes back."""

from __future__ import annotations

from typing import Any

import pytest

from service.errors import HandlerTimeoutError, InProgressError
from service.runtime.message import delay, lanes
from service.runtime.sqs import WAIT_SECONDS
from tests.service import events as made


def messages(*bodies: str, fifo: bool = False) -> list[Any]:
    """In a FIFO queue the first letter is the message group."""
    records: list[Any] = made.sqs(*bodies)["Records"]
    for record in records:
        record["attributes"]["MessageGroupId"] = record["body"][0]
        record["eventSourceARN"] += ".fifo" * fifo
    return records


def bodies(found: list[list[list[Any]]]) -> list[list[str]]:
    """Each batch as one word after the other."""
    return [[" ".join(record["body"] for record in batch) for batch in lane] for lane in found]


@pytest.mark.parametrize(
    ("fifo", "by_record", "expected"),
    [
        (False, True, [["a1"], ["b1"], ["a2"]]),
        (False, False, [["a1 b1 a2"]]),
        (True, True, [["a1", "a2"], ["b1"]]),
        (True, False, [["a1 a2"], ["b1"]]),
    ],
)
def test_messages_run_side_by_side_unless_their_group_keeps_an_order(
    fifo: bool, by_record: bool, expected: list[list[str]]
) -> None:
    assert bodies(lanes(messages("a1", "b1", "a2", fifo=fifo), by_record)) == expected


@pytest.mark.parametrize(
    ("count", "seconds"), [("1", 2), ("2", 4), ("3", 8), ("4", 10), ("999999", 10)]
)
def test_a_failed_message_comes_back_ever_later_up_to_its_visibility_timeout(
    count: str, seconds: int
) -> None:
    (record,) = messages("a")
    record["attributes"]["ApproximateReceiveCount"] = count
    assert delay(record, ValueError("no stock"), visibility=10) == seconds


def test_a_message_that_took_too_long_is_not_taken_by_the_last_receive_of_a_worker_that_stops() -> (
    None
):
    (record,) = messages("a")
    record["attributes"]["ApproximateReceiveCount"] = "1"
    assert delay(record, HandlerTimeoutError("late"), visibility=60) > WAIT_SECONDS + 2


@pytest.mark.parametrize(("left", "seconds"), [(1, 1), (7_200, 7_200), (86_400, 42_900)])
def test_a_message_whose_work_is_done_elsewhere_comes_back_when_that_has_ended(
    left: int, seconds: int
) -> None:
    (record,) = messages("a")
    assert delay(record, InProgressError("elsewhere", left), visibility=10) == seconds
