"""A message as SQS gives it, as the record that Lambda makes of it.

"Using Lambda with Amazon SQS" in the AWS Lambda Developer Guide has the example.
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from service.errors import HandlerTimeoutError, InProgressError
from service.runtime.batch import Record, group_of
from service.runtime.event_handler import SQS_SECONDS
from service.runtime.event_kind import SQS

Message = Mapping[str, Any]

# A worker that gave a thread up stops. The receive that it has under way, which waits for 5 s,
# would take the message once more, and count, but try nothing.
_AFTER_TIMEOUT = 8
_LONGEST = SQS_SECONDS - 300  # as they count from the receipt on, which was before


def record(message: Message, arn: str) -> Record:
    """The record of a message that came from the queue `arn`."""
    attributes = message.get("MessageAttributes", {})
    made = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {name: _attribute(value) for name, value in attributes.items()},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": SQS,
        "eventSourceARN": arn,
        "awsRegion": arn.split(":")[3],
    }
    if "MD5OfMessageAttributes" in message:
        made["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
    return made


def lanes(records: list[Record], by_record: bool) -> list[list[list[Record]]]:
    """What may run at once: lanes, each of which is batches that run one after the other.

    A message group keeps its order in a lane of its own. Else a handler of single records
    gets each in a lane, so that none waits for a slow one; a handler of batches gets one.
    """
    grouped: dict[object, list[Record]] = {}
    for number, one in enumerate(records):
        grouped.setdefault(group_of(one) or (number if by_record else None), []).append(one)
    return [[[one] for one in group] if by_record else [group] for group in grouped.values()]


def receipts(records: list[Record]) -> list[str]:
    """By what SQS knows these receipts of the messages."""
    return [str(one["receiptHandle"]) for one in records]


def delay(failed: Record, error: Exception | None, visibility: int) -> int:
    """Seconds until a failed message is tried again: 2, 4, 8 ..., at most `visibility`.

    At once would send it to the dead-letter queue before what failed can recover. So would
    these seconds a message whose work is being done elsewhere: it waits until that has ended.
    """
    if isinstance(error, InProgressError):
        return min(error.seconds, _LONGEST)
    count = int(failed["attributes"].get("ApproximateReceiveCount", "1"))
    seconds = min(1 << min(count, 16), visibility)
    return max(seconds, _AFTER_TIMEOUT) if isinstance(error, HandlerTimeoutError) else seconds


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"stringListValues": [], "binaryListValues": []}
    if "StringValue" in value:
        made["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        made["binaryValue"] = b64encode(value["BinaryValue"]).decode()
    return made | {"dataType": value["DataType"]}
