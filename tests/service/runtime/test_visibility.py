"""service.runtime.visibility: messages in work stay ours."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from service.runtime.message import Message
from service.runtime.sqs import Queue
from service.runtime.visibility import Visibility
from tests.service.conftest import PATIENCE, Log


class Flaky(Queue):
    """A queue with one message, whose first extension fails as nobody foresaw."""

    def __init__(self) -> None:
        super().__init__("orders", "http://127.0.0.1:9/1/orders", None)
        self.asked: list[Mapping[str, int]] = []
        self.extended = threading.Event()

    def receive(self, at_most: int, wait: int, hidden: int) -> list[Message]:
        return [{"ReceiptHandle": "a"}]

    def delete(self, receipts: list[str]) -> list[str]:
        return []

    def hide(self, seconds: Mapping[str, int]) -> list[str]:
        self.asked.append(seconds)
        if len(self.asked) == 1:
            raise KeyError("Failed")
        self.extended.set()
        return []


def test_an_unforeseen_failure_does_not_end_the_extensions(log: Log) -> None:
    queue = Flaky()
    visibility = Visibility(queue, 1)
    visibility.receive(1, 0)
    extended = queue.extended.wait(PATIENCE)
    visibility.end()
    assert extended
    assert queue.asked[:2] == [{"a": 1}, {"a": 1}]
    assert [line["message"] for line in log.of("service.worker")] == [
        "Others may get messages that are in work here"
    ]


def test_what_is_deleted_is_extended_no_more() -> None:
    queue = Flaky()
    visibility = Visibility(queue, 1)
    visibility.receive(1, 0)
    visibility.delete(["a"])
    assert not queue.extended.wait(0.8)
    visibility.end()
    assert queue.asked == []
