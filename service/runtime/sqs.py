"""EDGE: one queue of SQS, by blocking calls through boto3."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from service.errors import QueueError
from service.runtime.message import Message

# A receive that is given up may still take messages, which nobody then sees until their
# visibility timeout has passed; so who stops waits for it, and it must not take long. An
# empty queue costs half a million requests a month, a quarter of a dollar.
WAIT_SECONDS = 5
BATCH = 10  # "Amazon SQS message quotas": messages a request

_NO_BOTO3 = (
    "The worker needs boto3, which the artifact does not hold. "
    'Add "boto3" to [project] dependencies in pyproject.toml, run make lock and release again.'
)


@dataclass(frozen=True)
class QueueFacts:
    """What the queue says of itself; the visibility timeout is in seconds."""

    arn: str
    visibility: int


class Queue:
    """One queue, by its URL; its methods may be called from several threads at once.

    Each raises QueueError when SQS refuses, or cannot be reached after three attempts.
    """

    def __init__(self, name: str, url: str, client: Any) -> None:
        self.name = name
        self._url = url
        self._client = client

    def facts(self) -> QueueFacts:
        """The queue's ARN and visibility timeout."""
        with _told(f"Asking for the attributes of {self.name}"):
            answer = self._client.get_queue_attributes(
                QueueUrl=self._url, AttributeNames=["QueueArn", "VisibilityTimeout"]
            )
        found = answer["Attributes"]
        return QueueFacts(found["QueueArn"], int(found["VisibilityTimeout"]))

    def receive(self, at_most: int, wait: int, hidden: int) -> list[Message]:
        """Up to `at_most` messages, 10 at the most, as soon as there is one.

        Others do not see them for `hidden` seconds.
        """
        with _told(f"Receiving from {self.name}"):
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=min(at_most, BATCH),
                WaitTimeSeconds=wait,
                VisibilityTimeout=hidden,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
        return list(answer.get("Messages", []))

    def delete(self, receipts: list[str]) -> list[str]:
        """Up to 10 messages are gone; what SQS says of those that are not."""
        entries = [{"Id": str(n), "ReceiptHandle": handle} for n, handle in enumerate(receipts)]
        with _told(f"Deleting from {self.name}"):
            return _failures(self._client.delete_message_batch(QueueUrl=self._url, Entries=entries))

    def hide(self, seconds: Mapping[str, int]) -> list[str]:
        """Up to 10 messages are invisible for so many seconds from now; what SQS says else."""
        entries = [
            {"Id": str(n), "ReceiptHandle": handle, "VisibilityTimeout": visibility}
            for n, (handle, visibility) in enumerate(seconds.items())
        ]
        with _told(f"Changing the visibility of messages of {self.name}"):
            return _failures(
                self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)
            )


def queues(urls: Mapping[str, str]) -> list[Queue]:
    """The queues by name, over one client.

    Raises:
        QueueError: boto3 is not there, or has no region.
    """
    client = _client()
    return [Queue(name, url, client) for name, url in urls.items()]


def _client() -> Any:
    try:
        import boto3
        from botocore.config import Config
    except ModuleNotFoundError as error:
        if error.name != "boto3":
            raise
        raise QueueError(_NO_BOTO3) from error
    config = Config(
        connect_timeout=5,
        read_timeout=WAIT_SECONDS + 5,
        max_pool_connections=50,
        retries={"mode": "standard", "total_max_attempts": 3},
    )
    with _told("Connecting to SQS"):
        return boto3.session.Session().client("sqs", config=config)


@contextmanager
def _told(what: str) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise QueueError(f"{what} failed: {error}") from error


def _failures(answer: Mapping[str, Any]) -> list[str]:
    return [f"{entry['Code']}: {entry.get('Message', '')}" for entry in answer.get("Failed", [])]
