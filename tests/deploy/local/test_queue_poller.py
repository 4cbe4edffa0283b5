"""What plays Lambda's event source mappings, against the embedded AWS's queues."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import boto3
import pytest

from deploy.aws import Aws
from deploy.local.embedded_aws import EmbeddedAws
from deploy.local.execution_environment import Result
from deploy.local.invocation_log import Report
from deploy.local.queue_poller import QueuePoller
from deploy.local.runtime_api import Answer
from tests.deploy.local.conftest import Provisioned

SECONDS = 60
FAILED = Answer(b'{"errorType": "ValueError"}', "Unhandled")


@dataclass
class Function:
    """Answers each invocation alike, after so many seconds, and keeps what it was asked."""

    answer: Callable[[dict[str, Any]], Answer]
    seconds: float = 0.0
    events: list[dict[str, Any]] = field(default_factory=list)

    async def invoke(self, payload: bytes, _client_context: str) -> Result:
        self.events.append(json.loads(payload))
        await asyncio.sleep(self.seconds)
        return Result(self.answer(self.events[-1]), b"", Report(0.0, 0, 0))

    @property
    def bodies(self) -> list[str]:
        return [record["body"] for event in self.events for record in event["Records"]]


@dataclass
class Queued:
    """A queue with a mapping to the stack's function, both of the test's own."""

    aws: Aws
    function: str
    sqs: Any
    lambdas: Any
    url: str = ""
    mapping: str = ""

    def make(self) -> None:
        name = f"orders-{uuid4()}"
        self.url = self.sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "3"})[
            "QueueUrl"
        ]
        self.mapping = self.lambdas.create_event_source_mapping(
            EventSourceArn=f"arn:aws:sqs:{self.aws.region}:000000000000:{name}",
            FunctionName=self.function,
            Enabled=False,  # the embedded AWS would take the first messages
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )["UUID"]

    def left(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)
        return sum(int(found["Attributes"][name]) for name in names)


@pytest.fixture
def queued(provisioned: Provisioned, embedded: EmbeddedAws) -> Queued:
    stack = provisioned.aws.stack(provisioned.settings.stack)
    assert stack is not None
    session = boto3.Session("test", "test", region_name=embedded.region)
    sqs, lambdas = (
        session.client(service, endpoint_url=embedded.endpoint) for service in ("sqs", "lambda")
    )
    return Queued(provisioned.aws, stack.outputs["FunctionName"], sqs, lambdas)


@asynccontextmanager
async def polling(queued: Queued, function: Function) -> AsyncIterator[None]:
    task = asyncio.create_task(QueuePoller(queued.aws, queued.function, function.invoke).run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + SECONDS
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < deadline, "not in time"
        await asyncio.sleep(0.05)


def test_a_message_is_invoked_with_and_gone_afterwards(queued: Queued) -> None:
    function = Function(lambda _event: Answer(b"null"))

    async def played() -> None:
        async with polling(queued, function):
            queued.make()  # while it runs
            queued.sqs.send_message(QueueUrl=queued.url, MessageBody="one")
            await until(lambda: function.bodies and not queued.left())

    asyncio.run(played())
    assert function.bodies == ["one"]


def test_what_failed_is_invoked_with_again(queued: Queued) -> None:
    def fail_the_first(event: dict[str, Any]) -> Answer:
        (record,) = event["Records"]
        first = record["attributes"]["ApproximateReceiveCount"] == "1"
        return FAILED if first else Answer(b"{}")

    function = Function(fail_the_first)

    async def played() -> None:
        queued.make()
        queued.sqs.send_message(QueueUrl=queued.url, MessageBody="one")
        async with polling(queued, function):
            await until(lambda: len(function.events) > 1 and not queued.left())

    asyncio.run(played())
    assert function.bodies == ["one", "one"]


def test_a_changed_mapping_counts_from_the_next_batch_on(queued: Queued) -> None:
    def report_all(event: dict[str, Any]) -> Answer:
        failed = [{"itemIdentifier": record["messageId"]} for record in event["Records"]]
        return Answer(json.dumps({"batchItemFailures": failed}).encode())

    function = Function(report_all)

    async def played() -> None:
        queued.make()
        queued.sqs.send_message(QueueUrl=queued.url, MessageBody="one")
        async with polling(queued, function):
            await until(lambda: function.events)
            queued.lambdas.update_event_source_mapping(
                UUID=queued.mapping, FunctionResponseTypes=[]
            )
            await until(lambda: not queued.left())

    asyncio.run(played())


def test_what_is_in_work_when_its_mapping_goes_comes_to_its_end(queued: Queued) -> None:
    function = Function(lambda _event: Answer(b"null"), seconds=3)  # longer than a look or two

    async def played() -> None:
        queued.make()
        queued.sqs.set_queue_attributes(
            QueueUrl=queued.url, Attributes={"VisibilityTimeout": str(SECONDS)}
        )
        queued.sqs.send_message(QueueUrl=queued.url, MessageBody="one")
        async with polling(queued, function):
            await until(lambda: function.events)
            queued.lambdas.delete_event_source_mapping(UUID=queued.mapping)
            await until(lambda: not queued.left())

    asyncio.run(played())
    assert function.bodies == ["one"]


def test_the_embedded_awss_own_lambda_leaves_the_queue_alone(queued: Queued) -> None:
    queued.make()
    queued.lambdas.update_event_source_mapping(UUID=queued.mapping, Enabled=True)

    def state() -> str:
        return str(queued.lambdas.get_event_source_mapping(UUID=queued.mapping)["State"])

    assert state() == "Enabled"

    async def played() -> None:
        async with polling(queued, Function(lambda _event: Answer(b"null"))):
            await until(lambda: state() == "Disabled")

    asyncio.run(played())
