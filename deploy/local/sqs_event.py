"""What Lambda's poller makes of SQS's messages, and what it reads out of the function's answer.

AWS Lambda Developer Guide, "Using Lambda with Amazon SQS" and "Handling errors for an SQS
event source in Lambda". Pure.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from deploy.aws.running import QueueMapping

Message = Mapping[str, Any]
"""As ReceiveMessage answers."""


def event(messages: Sequence[Message], mapping: QueueMapping) -> dict[str, Any]:
    """The event of a batch."""
    return {"Records": [_record(message, mapping.queue_arn) for message in messages]}


def done(answer: bytes, messages: Sequence[Message], mapping: QueueMapping) -> list[Message]:
    """The messages that are over: all but those that the function reported as failed.

    None when the answer is no report that Lambda understands: it takes the whole batch for
    failed then. A mapping that asked for no report takes every answer for a success.
    """
    if not mapping.reports_failures:
        return list(messages)
    try:
        failed = set(_reported(json.loads(answer or b"null")))
    except (ValueError, TypeError, KeyError):
        return []
    if not failed <= {message["MessageId"] for message in messages}:
        return []
    return [message for message in messages if message["MessageId"] not in failed]


def _reported(answer: Any) -> list[str]:
    if not answer or not isinstance(answer, dict):
        return []
    failures = answer.get("batchItemFailures") or []
    return [_identifier(failure["itemIdentifier"]) for failure in failures]


def _identifier(found: Any) -> str:
    if not isinstance(found, str) or not found:
        raise ValueError(f"itemIdentifier is {found!r}")
    return found


def _record(message: Message, queue_arn: str) -> dict[str, Any]:
    attributes = message.get("MessageAttributes", {})
    record = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {name: _attribute(value) for name, value in attributes.items()},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }
    if "MD5OfMessageAttributes" in message:
        record["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
    return record


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    """Lambda writes the keys in camel case, and the two lists that SQS never fills in."""
    given = {f"{key[0].lower()}{key[1:]}": content for key, content in value.items()}
    if isinstance(given.get("binaryValue"), bytes):
        given["binaryValue"] = base64.b64encode(given["binaryValue"]).decode()
    return {"stringListValues": [], "binaryListValues": [], **given}
