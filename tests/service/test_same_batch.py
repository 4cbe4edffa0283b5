"""The same messages come to the same end in both runtimes.

Lambda's side is awslambdaric, with an event source mapping played by the rules of "Handling
errors for an SQS event source in Lambda"; the instance's is a worker on the same queue. What
fails there once is dead, so the dead-letter queue has what failed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.service.conftest import environment
from tests.service.queues import MODULE, REGION, Queue, Queues, Workers, journal, told, within
from tests.service.runtime_api import Answer, function

EACH_ASYNC = """
@events.each("aws:sqs")
async def orders(record):
    write(record["body"])
    await asyncio.sleep(0)
    if "bad" in record["body"]:
        raise ValueError(record["body"])
"""
EACH_SYNC = """
@events.each("aws:sqs", queue="orders")
def orders(record):
    write(record["body"])
    if "bad" in record["body"]:
        raise ValueError(record["body"])
"""
EACH_TYPED = """
@events.each("aws:sqs", typed=lambda record: record["body"].split())
def orders(words):
    write(" ".join(words))
    if "bad" in words:
        raise ValueError(words)
"""
EACH_LATE = """
@events.each("aws:sqs", timeout=1.5)
async def orders(record):
    write(record["body"])
    await asyncio.sleep(60 if "bad" in record["body"] else 0)
"""
EACH_CANCELLED = """
@events.each("aws:sqs")
async def orders(record):
    write(record["body"])
    task = asyncio.ensure_future(asyncio.sleep(0))
    if "bad" in record["body"]:
        task.cancel()
    await task
"""
EACH_EXITS = """
@events.each("aws:sqs")
{}def orders(record):
    write(record["body"])
    if "bad" in record["body"]:
        sys.exit(record["body"])
"""
EACH_PART_EXITS = """
async def part(record):
    if "bad" in record["body"]:
        sys.exit(record["body"])

@events.each("aws:sqs")
async def orders(record):
    write(record["body"])
    await asyncio.gather(part(record))
"""
REPORTS = """
@events.on("aws:sqs")
async def orders(event):
    bad = [record["messageId"] for record in event["Records"] if "bad" in record["body"]]
    write(*[record["body"] for record in event["Records"]])
    return {"batchItemFailures": [{"itemIdentifier": one} for one in bad]}
"""
RAISES = """
@events.on("aws:sqs")
def orders(event):
    write(*[record["body"] for record in event["Records"]])
    raise ValueError("all of them")
"""
RETURNS = """
@events.on("aws:sqs")
def orders(event):
    write(*[record["body"] for record in event["Records"]])
    return {result}
"""
ELSEWHERE = """
@events.on("aws:sqs", queue="invoices")
def invoices(event):
    write("wrong")

@events.on("aws:sqs", queue="orders")
def orders(event):
    write(*[record["body"] for record in event["Records"]])
"""
BODIES = ("a", "bad b", "c", "bad d", "e")


@dataclass(frozen=True)
class End:
    """Which messages were tried, and which of them are to be tried again."""

    tried: list[str]
    failed: list[str]


CASES = {
    "async records": (EACH_ASYNC, False),
    "sync records": (EACH_SYNC, False),
    "typed records": (EACH_TYPED, False),
    "late records": (EACH_LATE, False),
    "records that await a cancelled task": (EACH_CANCELLED, False),
    "async records that exit": (EACH_EXITS.format("async "), False),
    "sync records that exit": (EACH_EXITS.format(""), False),
    "records a part of which exits": (EACH_PART_EXITS, False),
    "records in message groups": (EACH_ASYNC, True),
    "sync records in message groups": (EACH_SYNC, True),
    "a batch that reports failures": (REPORTS, False),
    "groups that report failures": (REPORTS, True),
    "a batch that raises": (RAISES, False),
    "a batch that returns nothing": (RETURNS.format(result="None"), False),
    "a batch that returns an empty object": (RETURNS.format(result="{}"), False),
    "a batch that returns an empty list": (
        RETURNS.format(result="{'batchItemFailures': []}"),
        False,
    ),
    "a batch that returns text": (RETURNS.format(result="'done'"), False),
    "a batch that names no message": (
        RETURNS.format(result="{'batchItemFailures': [{'itemIdentifier': 'x'}]}"),
        False,
    ),
    "a batch that misspells its report": (
        RETURNS.format(result="{'BatchItemFailures': [{'itemIdentifier': 'x'}]}"),
        False,
    ),
    "one of two queues": (ELSEWHERE, False),
}


@pytest.mark.parametrize("case", CASES)
def test_a_batch_ends_the_same_way_in_both_runtimes(
    case: str, queues: Queues, workers: Callable[[str], Workers]
) -> None:
    handler, fifo = CASES[case]
    running = workers(MODULE + handler)
    on_lambda = lambda_end(running.folder, queues, filled(queues, fifo))
    on_instance = worker_end(running, filled(queues, fifo))
    assert on_lambda.tried
    assert on_instance == on_lambda


def filled(queues: Queues, fifo: bool) -> tuple[Queue, Queue]:
    """A queue with the messages, and where they go after one failure."""
    dead = queues.make(fifo=fifo)
    queue = queues.make(visibility=1, dead=(dead, 1), fifo=fifo)
    if fifo:
        for group in ("x", "y"):
            queue.send(*(f"{group} {body}" for body in BODIES), group=group)
    else:
        queue.send(*BODIES)
    return queue, dead


def lambda_end(folder: Path, queues: Queues, made: tuple[Queue, Queue]) -> End:
    queue, _ = made
    messages = queue.receive()
    event = {"Records": [delivered(message, queue.arn) for message in messages]}
    environ = environment() | told(queues.endpoint, {"orders": queue}) | {"JOURNAL": "on-lambda"}
    with function(folder, folder / "function.log", environ) as run:
        answer = run.invoke(event)
    bodies = {message["MessageId"]: message["Body"] for message in messages}
    failed = sorted(bodies[one] for one in failures(answer, list(bodies)))
    return End(sorted(journal(folder / "on-lambda")), failed)


def failures(answer: Answer, everything: list[str]) -> list[str]:
    """The messages that Lambda leaves in the queue."""
    if answer.kind == "error":
        return everything
    items = (answer.payload or {}).get("batchItemFailures") or []
    named = [item["itemIdentifier"] for item in items]
    return named if set(named) <= set(everything) else everything


def worker_end(running: Workers, made: tuple[Queue, Queue]) -> End:
    queue, dead = made
    worker = running.start(
        {"orders": queue}, SERVICE_WORKER_CONCURRENCY="10", JOURNAL="on-instance"
    )
    within(20, lambda: queue.left == 0)
    worker.process.kill()
    failed = sorted(message["Body"] for message in dead.receive())
    return End(sorted(journal(running.folder / "on-instance")), failed)


def delivered(message: Any, arn: str) -> Any:
    """The message as Lambda delivers it, written anew from "Using Lambda with Amazon SQS"."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": REGION,
    }
