"""Messages a second: the worker against a plain boto3 loop, on one embedded queue.

Both run as processes and write down when each message was handled; what counts is the time
from the first to the last, so a start costs neither anything. The embedded queue is a Python
process on the same machine and takes most of the time: compare, do not take the numbers for SQS's.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tests.benchmarks.report import Row, at_least
from tests.service.conftest import environment, service_folder
from tests.service.queues import MODULE, Queue, Queues, Workers, embedded, journal, told, within

TITLE = "Worker: messages a second from an embedded queue"
MESSAGES = 400
SECONDS = 60.0

HANDLER = """
@events.each("aws:sqs")
async def orders(record):
    await asyncio.sleep({seconds})
    write(time.monotonic())
"""
LOOP = """
import json, os, sys, time, boto3
sqs, url = boto3.client("sqs"), sys.argv[1]
with open("journal", "ab", buffering=0) as file:
    while True:
        answer = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=20,
            MessageSystemAttributeNames=["All"], MessageAttributeNames=["All"],
        )
        for message in answer.get("Messages", []):
            time.sleep({seconds})
            file.write(json.dumps(time.monotonic()).encode() + b"\\n")
            {delete}
"""
ONE = 'sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])'
TENS = """
        if done := answer.get("Messages"):
            sqs.delete_message_batch(QueueUrl=url, Entries=[
                {"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(done)
            ])
"""

Measured = Callable[[Queues, Queue, Path, float], None]


def measure(rounds: int = 3) -> list[Row]:
    """Medians over alternating rounds, for a handler that does nothing and one that waits."""
    return [
        row
        for seconds, target in ((0.0, 1.5), (0.01, 3.0))
        for row in _rows(seconds, target, rounds)
    ]


def _rows(seconds: float, target: float, rounds: int) -> list[Row]:
    found: dict[Measured, list[float]] = {_loop: [], _loop_in_tens: [], _worker: []}
    with embedded() as queues:
        for _ in range(rounds):
            for run, figures in found.items():
                figures.append(_rate(run, queues, seconds))
    pairs = zip(found[_loop], found[_worker], strict=True)
    ratio = median(ours / loop for loop, ours in pairs)
    what = f"handler takes {seconds * 1000:g} ms"
    loop = f"plain boto3 loop, {what}"
    return [
        Row(loop, median(found[_loop]), "msg/s"),
        Row(f"the same, deletes in tens, {what}", median(found[_loop_in_tens]), "msg/s"),
        Row(
            f"worker, 10 at once, {what}",
            median(found[_worker]),
            "msg/s",
            ratio,
            at_least(target),
            f"of {loop}",
        ),
    ]


def _rate(run: Measured, queues: Queues, seconds: float) -> float:
    queue = queues.make()
    queue.send(*map(str, range(MESSAGES)))
    with tempfile.TemporaryDirectory() as folder:
        run(queues, queue, Path(folder), seconds)
        times: list[float] = sorted(journal(Path(folder) / "journal"))
    return (len(times) - 1) / (times[-1] - times[0])


def _worker(queues: Queues, queue: Queue, folder: Path, seconds: float) -> None:
    handler = MODULE + HANDLER.format(seconds=seconds)
    workers = Workers(service_folder(folder, handler), queues.endpoint)
    try:
        workers.start({"orders": queue}, wait=False, SERVICE_WORKER_CONCURRENCY="10")
        _all_done(folder)
    finally:
        workers.close()


def _loop(queues: Queues, queue: Queue, folder: Path, seconds: float) -> None:
    _script(LOOP.format(seconds=seconds, delete=ONE), queues, queue, folder)


def _loop_in_tens(queues: Queues, queue: Queue, folder: Path, seconds: float) -> None:
    _script(LOOP.format(seconds=seconds, delete=TENS), queues, queue, folder)


def _script(script: str, queues: Queues, queue: Queue, folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", script, queue.url],
        cwd=folder,
        env=environment() | told(queues.endpoint, {"orders": queue}),
    )
    try:
        _all_done(folder)
    finally:
        process.kill()
        process.wait()


def _all_done(folder: Path) -> None:
    within(SECONDS, lambda: len(journal(folder / "journal")) == MESSAGES)
