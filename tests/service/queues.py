"""Real queues: those of an embedded AWS, and workers on them in processes of their own.

ministack and not moto: its receive waits without holding a thread, a FIFO queue blocks the
groups that are in flight and gives several messages of one, redrive happens at
maxReceiveCount, and it runs as a server from what is pinned here. moto's server needs
packages that are not, and its in-process mock cannot be reached by a process to be killed.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from deploy.local import embedded_aws
from deploy.local.interrupts import Interrupts
from deploy.local.workspace import Workspace
from tests.service.conftest import PATIENCE, environment, until

REGION = "eu-central-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

# What a handler module of a test begins with: what it writes is read by `journal`.
MODULE = """
import asyncio, json, os, pathlib, sys, threading, time
from contextlib import asynccontextmanager
from starlette.applications import Starlette
from service.runtime.events import EventRouter

app = Starlette()
events = EventRouter()
path = pathlib.Path(__file__).parent.parent / os.environ.get("JOURNAL", "journal")

def write(*values):
    with path.open("ab", buffering=0) as file:
        file.write(b"".join(json.dumps(value).encode() + b"\\n" for value in values))

"""


@dataclass(frozen=True)
class Queue:
    """One queue of the embedded AWS."""

    client: Any
    url: str

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]

    @property
    def arn(self) -> str:
        return str(self._attributes("QueueArn")["QueueArn"])

    def send(self, *bodies: str, group: str = "", **attributes: Any) -> list[str]:
        """The message IDs, in order."""
        sent: list[str] = []
        for start in range(0, len(bodies), 10):
            entries = [
                {"Id": str(n), "MessageBody": body, **_group(group, start + n), **attributes}
                for n, body in enumerate(bodies[start : start + 10])
            ]
            answer = self.client.send_message_batch(QueueUrl=self.url, Entries=entries)
            sent += [entry["MessageId"] for entry in answer["Successful"]]
        return sent

    def receive(self) -> list[Any]:
        answer = self.client.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=10,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return list(answer.get("Messages", []))

    @property
    def left(self) -> int:
        """Messages that are there, visible or not."""
        return sum(self._counts())

    @property
    def visible(self) -> int:
        return self._counts()[0]

    def _counts(self) -> list[int]:
        """Asked for at once, or a message may be in neither number."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self._attributes(*names)
        return [int(found[name]) for name in names]

    def _attributes(self, *names: str) -> Any:
        answer = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)
        return answer["Attributes"]


@dataclass
class Queues:
    """The SQS of an embedded AWS."""

    endpoint: str
    client: Any = field(init=False)
    _made: int = 0

    def __post_init__(self) -> None:
        self.client = boto3.session.Session(
            aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION
        ).client("sqs", endpoint_url=self.endpoint)

    def make(
        self, visibility: int = 30, dead: tuple[Queue, int] | None = None, fifo: bool = False
    ) -> Queue:
        """A queue, whose messages are dead after so many receipts."""
        self._made += 1
        attributes = {"VisibilityTimeout": str(visibility)}
        if dead is not None:
            policy = {"deadLetterTargetArn": dead[0].arn, "maxReceiveCount": dead[1]}
            attributes["RedrivePolicy"] = json.dumps(policy)
        if fifo:
            attributes |= {"FifoQueue": "true"}
        name = f"hello-dev-{self._made}" + (".fifo" if fifo else "")
        answer = self.client.create_queue(QueueName=name, Attributes=attributes)
        return Queue(self.client, answer["QueueUrl"])


@contextmanager
def embedded() -> Iterator[Queues]:
    """The queues of an embedded AWS of its own, which is gone afterwards."""
    with Workspace(Interrupts()) as workspace:
        started = embedded_aws.start(workspace, REGION)
        started.wait()
        yield Queues(started.endpoint)


@dataclass
class Worker:
    """A running `python -m service worker`; what it prints goes to a file."""

    process: subprocess.Popen[bytes]
    printed: Path

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [
            json.loads(line) for line in self.printed.read_text().splitlines() if line[:1] == "{"
        ]

    def said(self, logger: str) -> list[str]:
        return [line["message"] for line in self.lines if line["logger"] == logger]

    def await_line(self, text: str) -> None:
        def shown() -> bool:
            printed = self.printed.read_text()
            assert text in printed or self.process.poll() is None, printed
            return text in printed

        until(shown)

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """The exit code and all that was printed."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> tuple[int, str]:
        return self.process.wait(timeout=PATIENCE), self.printed.read_text()


@dataclass
class Workers:
    """Starts workers on a folder whose `service` has the handler module to be tried."""

    folder: Path
    endpoint: str
    _stack: ExitStack = field(default_factory=ExitStack)
    _started: int = 0

    def start(self, queues: Mapping[str, Queue], wait: bool = True, **environ: str) -> Worker:
        self._started += 1
        printed = self.folder / f"worker-{self._started}.log"
        with printed.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "service", "worker"],
                cwd=self.folder,
                env={**environment(), **told(self.endpoint, queues), **environ},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        worker = Worker(process, printed)
        for name in queues if wait else ():
            worker.await_line(f"Working on {name}")
        return worker

    def close(self) -> None:
        self._stack.close()


def told(endpoint: str, queues: Mapping[str, Queue]) -> dict[str, str]:
    """What an instance's environment says to a worker of these queues."""
    return {
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "SERVICE_QUEUES": ",".join(f"{name}={queue.url}" for name, queue in queues.items()),
        "SERVICE_WORKER_QUEUES": ",".join(queues),
    }


def within(seconds: float, condition: Any) -> None:
    """Polls, with a bound."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def journal(path: Path) -> list[Any]:
    """What handlers wrote down, one JSON value a line."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _group(group: str, number: int) -> dict[str, str]:
    return {"MessageGroupId": group, "MessageDeduplicationId": f"{group}-{number}"} if group else {}
