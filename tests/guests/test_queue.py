"""A queue that the worker in a guest takes from: as whom, which release, and nothing lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.deploy.local.queues import add_boto3, add_to_topology
from tests.guests.boots import booted
from tests.guests.clouds import GuestOf, Project, copied, until
from tests.guests.conftest import Figure

# Slow enough for messages to be in hand whenever the worker is stopped.
WORK = """
import logging
import os
import pwd
import time


@events.each("aws:sqs", queue="slow")
def work(record):
    time.sleep(0.3)
    worked = {"body": record["body"], "user": pwd.getpwuid(os.geteuid()).pw_name}
    logging.getLogger("service.work").info("worked", extra=worked)
"""
_SEND_SECONDS = 0.2


@dataclass
class Queue:
    """The queue `slow` of a guest's stack, and what was sent to it."""

    guest: GuestOf
    client: Any
    outputs: dict[str, str]
    sent: list[str] = field(default_factory=list)

    def send(self) -> None:
        body = f"message {len(self.sent)}"
        self.client.send_message(QueueUrl=self.outputs["SlowQueueUrl"], MessageBody=body)
        self.sent.append(body)

    @contextmanager
    def sending(self) -> Iterator[None]:
        """While the block runs, one message after the other is sent."""
        over = threading.Event()

        def send() -> None:
            while not over.wait(_SEND_SECONDS):
                self.send()

        thread = threading.Thread(target=send)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def worked(self) -> list[dict[str, Any]]:
        """What the worker logged of each message, as it was shipped."""
        found = self.guest.playing.aws("logs").get_log_events(
            logGroupName=self.outputs["InstanceLogGroup"],
            logStreamName=f"{self.guest.id}/worker_0",
            startFromHead=True,
        )
        lines = [line for event in found["events"] for line in event["message"].splitlines()]
        events = [json.loads(line) for line in lines if line.startswith("{")]
        return [event for event in events if event["logger"] == "service.work"]

    def left(self, output: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url = self.outputs[output]
        found = self.client.get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return sum(int(found["Attributes"][name]) for name in names)


@pytest.fixture(scope="module")
def queue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Queue]:
    folder = copied(tmp_path_factory.mktemp("queue"))
    add_boto3(folder)
    add_to_topology(folder, 'work_queue("slow", runtime="instance", visibility_seconds=10)')
    with booted(Project(folder), body=WORK) as boot:
        playing = boot.playing
        yield Queue(boot.guest, playing.aws("sqs"), playing.status()["outputs"])


def test_a_message_is_worked_on_by_the_services_own_user(queue: Queue) -> None:
    queue.send()
    (worked,) = until(queue.worked, 60, "its line is shipped")
    assert (worked["body"], worked["user"]) == (queue.sent[-1], "twofold")
    assert (worked["digest"], worked["mode"]) == (queue.guest.digest(), "instance")
    until(lambda: not queue.left("SlowQueueUrl"), 30, "the message is deleted")


def test_a_release_loses_no_message(queue: Queue, figure: Figure) -> None:
    guest, old = queue.guest, queue.guest.digest()
    first = len(queue.sent)
    with queue.sending():
        until(lambda: len(queue.worked()) > first, 60, "the old release works")
        new = guest.playing.release("second", body=WORK)
        guest.install()
        until(lambda: queue.worked()[-1]["digest"] == new, 60, "the new release works")
    assert len(guest.workers()) == 3
    until(lambda: set(queue.sent) <= {each["body"] for each in queue.worked()}, 60, "all")
    worked = queue.worked()
    assert {each["digest"] for each in worked} == {old, new}
    until(lambda: not queue.left("SlowQueueUrl"), 30, "all are deleted")
    assert queue.left("SlowDeadLettersUrl") == 0
    twice = len(worked) - len(queue.sent)
    figure("queue during a release", f"lost 0 of {len(queue.sent)} messages, {twice} twice")
