"""EDGE: one queue of SQS, by blocking calls through boto3."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from service.errors import QueueError, QueueRefusedError
from service.runtime.message import Message

# A receive that is given up may still take messages, which nobody then sees until their
# visibility timeout has passed; so who stops waits for it, and it must not take long. An
# empty queue costs half a million requests a month, a quarter of a dollar.
WAIT_SECONDS = 5
BATCH = 10  # "Amazon SQS message quotas": messages a request

# Refusals that pass ("Common Error Types" in the Amazon SQS API Reference, and its actions').
_PASSING = ("Expired", "OverLimit", "RequestTimeout", "Throttl")
_CLIENT_ERRORS = range(400, 500)

_NO_BOTO3 = (
    "The worker needs boto3, which the artifact does not hold. "
    'Add "boto3" to [project] dependencies in pyproject.toml, run make lock and release again.'
)

_REFUSED = (
    "{} was refused: {}. Allow it to the role ({}), or see that the queue is still there, at the "
    "address that SERVICE_QUEUES has"
)


@dataclass(frozen=True)
class QueueFacts:
    """What the queue says of itself; the visibility timeout is in seconds."""

    arn: str
    visibility: int


class Queue:
    """One queue, by its URL; its methods may be called from several threads at once.

    Each raises QueueRefusedError when SQS refuses, and QueueError when it fails or cannot be
    reached after three attempts.
    """

    def __init__(self, name: str, url: str, client: Any) -> None:
        self.name = name
        self._url = url
        self._client = client

    def facts(self) -> QueueFacts:
        """The queue's ARN and visibility timeout."""
        with _told(f"Asking for the attributes of {self.name}", "sqs:GetQueueAttributes"):
            answer = self._client.get_queue_attributes(
                QueueUrl=self._url, AttributeNames=["QueueArn", "VisibilityTimeout"]
            )
        found = answer["Attributes"]
        return QueueFacts(found["QueueArn"], int(found["VisibilityTimeout"]))

    def receive(self, at_most: int, wait: int, hidden: int) -> list[Message]:
        """Up to `at_most` messages, 10 at the most, as soon as there is one.

        Others do not see them for `hidden` seconds.
        """
        with _told(f"Receiving from {self.name}", "sqs:ReceiveMessage"):
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
        with _told(f"Deleting from {self.name}", "sqs:DeleteMessage"):
            return _failures(self._client.delete_message_batch(QueueUrl=self._url, Entries=entries))

    def hide(self, seconds: Mapping[str, int]) -> list[str]:
        """Up to 10 messages are invisible for so many seconds from now; what SQS says else."""
        entries = [
            {"Id": str(n), "ReceiptHandle": handle, "VisibilityTimeout": visibility}
            for n, (handle, visibility) in enumerate(seconds.items())
        ]
        doing = f"Changing the visibility of messages of {self.name}"
        with _told(doing, "sqs:ChangeMessageVisibility"):
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


def level(error: QueueError) -> int:
    """Of the log line that tells of it: a refusal wants somebody, all else passes."""
    return logging.ERROR if isinstance(error, QueueRefusedError) else logging.WARNING


def _client() -> Any:
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
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
    try:
        return boto3.session.Session().client("sqs", config=config)
    except BotoCoreError as error:
        raise QueueError(f"Connecting to SQS failed: {error}") from error


@contextmanager
def _told(doing: str, permission: str) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        if _passes(error.response):
            raise QueueError(f"{doing} failed: {error}") from error
        raise QueueRefusedError(_REFUSED.format(doing, error, permission)) from error
    except BotoCoreError as error:
        raise QueueError(f"{doing} failed: {error}") from error


def _passes(response: Mapping[str, Any]) -> bool:
    """Whether the same request may be taken later, although nobody changes anything."""
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status not in _CLIENT_ERRORS or any(
        part in response["Error"]["Code"] for part in _PASSING
    )


def _failures(answer: Mapping[str, Any]) -> list[str]:
    return [f"{entry['Code']}: {entry.get('Message', '')}" for entry in answer.get("Failed", [])]
