"""service.runtime.outbox: what SQS is told, in tens, and again when it was not heard."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable

from service.errors import QueueError, QueueRefusedError
from service.runtime.logs import REQUEST_ID
from service.runtime.outbox import MOST, Outbox, delays
from tests.service.conftest import Log

Send = Callable[[list[int]], list[str]]


def sent(send: Send, *items: int) -> None:
    async def run() -> None:
        outbox: Outbox[int] = Outbox(send)
        outbox.put(list(items))
        await outbox.empty()

    asyncio.run(run())


def test_items_leave_in_tens_and_in_order() -> None:
    batches: list[list[int]] = []
    sent(lambda batch: batches.append(batch) or [], *range(23))  # type: ignore[func-returns-value]
    assert batches == [[*range(10)], [*range(10, 20)], [20, 21, 22]]


def test_a_request_that_fails_is_made_again(log: Log) -> None:
    batches: list[list[int]] = []

    def send(batch: list[int]) -> list[str]:
        batches.append(batch)
        if len(batches) == 1:
            raise QueueError("Deleting from orders failed: no route")
        return []

    sent(send, 1, 2)
    assert batches == [[1, 2], [1, 2]]
    assert [line["message"] for line in log.of("service.worker")] == [
        "Deleting from orders failed: no route; trying again in 1 s"
    ]


def test_a_refused_request_is_an_error_and_what_waits_behind_it_leaves_when_it_is_allowed(
    log: Log,
) -> None:
    batches: list[list[int]] = []

    def send(batch: list[int]) -> list[str]:
        batches.append(batch)
        if len(batches) == 1:
            raise QueueRefusedError("Deleting from orders was refused")
        return []

    sent(send, *range(12))
    assert batches == [[*range(10)], [*range(10)], [10, 11]]
    assert [(line["level"], line["message"]) for line in log.of("service.worker")] == [
        ("ERROR", "Deleting from orders was refused; trying again in 1 s")
    ]


def test_what_sqs_refuses_is_told_and_left(log: Log) -> None:
    sent(lambda _: ["ReceiptHandleIsInvalid: expired"], 1)
    assert [line["message"] for line in log.of("service.worker")] == [
        "SQS refused a message: ReceiptHandleIsInvalid: expired"
    ]


def test_nothing_to_tell_is_told_to_nobody() -> None:
    batches: list[list[int]] = []
    sent(lambda batch: batches.append(batch) or [])  # type: ignore[func-returns-value]
    assert batches == []


def test_there_is_no_room_while_too_much_waits() -> None:
    heard = threading.Event()

    def send(_: list[int]) -> list[str]:
        heard.wait()
        return []

    async def run() -> list[bool]:
        outbox: Outbox[int] = Outbox(send)
        outbox.put([*range(MOST)])
        await outbox.room()
        outbox.put([MOST])
        room = asyncio.create_task(outbox.room())
        await asyncio.wait({room}, timeout=0.05)
        before = room.done()
        heard.set()
        await room
        return [before, room.done()]

    assert asyncio.run(run()) == [False, True]


def test_attempts_get_ever_more_seldom() -> None:
    assert list(itertools.islice(delays(), 7)) == [1, 2, 4, 8, 16, 30, 30]


def test_the_lines_of_an_outbox_carry_the_request_id_of_no_message(log: Log) -> None:
    async def run() -> None:
        outbox: Outbox[int] = Outbox(lambda _: ["ReceiptHandleIsInvalid: expired"])
        REQUEST_ID.set("message-7")
        outbox.put([1])
        await outbox.empty()

    asyncio.run(run())
    assert [line["request_id"] for line in log.of("service.worker")] == [""]
