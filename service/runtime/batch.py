"""What a batch of records comes to: which of them failed, in the words of Lambda.

Sources of the rules, in the AWS Lambda Developer Guide: "Handling errors for an SQS event
source in Lambda", "Configuring partial batch response with Kinesis Data Streams and Lambda",
"Configuring partial batch response with DynamoDB and Lambda". What is returned counts only
where the event source mapping has `ReportBatchItemFailures`.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from service.errors import BatchReplyError
from service.runtime.event_kind import SQS

Record = dict[str, Any]
Call = Callable[[Record], Awaitable[Any]]
Reply = dict[str, list[dict[str, str]]]

logger = logging.getLogger("service.event")

_IDENTIFIERS: Mapping[str, Callable[[Record], str]] = {
    SQS: lambda record: str(record["messageId"]),
    "aws:kinesis": lambda record: str(record["kinesis"]["sequenceNumber"]),
    "aws:dynamodb": lambda record: str(record["dynamodb"]["SequenceNumber"]),
}


async def each(source: str, event: Any, call: Call) -> Reply | None:
    """Every record of the event is given to `call`, one after the other; what raises has failed.

    Of a queue the failed messages are reported; in a FIFO queue the later ones of their
    message group are not tried, and fail with them. Of a stream the first failure is
    reported and nothing after it is tried, since the stream is read again from there.

    Raises:
        Exception: records of another source failed, after all were tried: the failure of
            the one, or an ExceptionGroup. Nobody takes partial failures there.
    """
    if source == SQS:
        return reply(await _queue(event["Records"], call))
    if source in _IDENTIFIERS:
        return reply(await _stream(source, event["Records"], call))
    await _others(_records(event), call)
    return None


def reply(failed: list[str]) -> Reply:
    """The result that reports the failed records to an event source mapping."""
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}


def failures(source: str, event: Any, result: Any) -> list[str]:
    """The identifiers of the failed records in a handler's own result, which is sound.

    Of an unsound result Lambda takes every record for failed, and of one that has another key
    than `batchItemFailures` every record for done, without a word. An error is told in both
    runtimes.

    Raises:
        BatchReplyError: the result is not one that Lambda takes, or names no such record.
    """
    if source not in _IDENTIFIERS or result is None:
        return []
    named = _named(result)
    known = [_IDENTIFIERS[source](record) for record in event["Records"]] if named else []
    if unknown := [identifier for identifier in named if identifier not in known]:
        raise BatchReplyError(_unsound(unknown[0]))
    return named


def _named(result: Any) -> list[Any]:
    items = (result.get("batchItemFailures", result) or []) if isinstance(result, dict) else None
    if not isinstance(items, list):
        raise BatchReplyError(_unsound(result))
    return [item.get("itemIdentifier") if isinstance(item, dict) else item for item in items]


async def _queue(records: list[Record], call: Call) -> list[str]:
    failed: list[str] = []
    stopped: set[str] = set()
    for record in records:
        group = group_of(record)
        if group in stopped or not await _succeeds(record, record["messageId"], call):
            failed.append(record["messageId"])
            stopped |= {group} - {""}
    return failed


async def _stream(source: str, records: list[Record], call: Call) -> list[str]:
    for record in records:
        identifier = _IDENTIFIERS[source](record)
        if not await _succeeds(record, identifier, call):
            return [identifier]
    return []


async def _others(records: list[Record], call: Call) -> None:
    errors: list[Exception] = []
    for record in records:
        try:
            await call(record)
        except Exception as error:
            errors.append(error)
    if len(errors) > 1:
        raise ExceptionGroup(f"{len(errors)} of {len(records)} records failed", errors)
    if errors:
        raise errors[0]


async def _succeeds(record: Record, identifier: str, call: Call) -> bool:
    try:
        await call(record)
    except Exception:
        logger.exception("Record %s failed", identifier, extra={"record": identifier})
        return False
    return True


def group_of(record: Record) -> str:
    """The message group of a FIFO queue's message; empty for another queue's.

    A standard queue's message may have a group, too, which is no order: "Amazon SQS fair
    queues" in the SQS Developer Guide.
    """
    if not record["eventSourceARN"].endswith(".fifo"):
        return ""
    return str(record.get("attributes", {}).get("MessageGroupId", ""))


def _records(event: Any) -> list[Record]:
    return event["Records"] if isinstance(event, dict) and "Records" in event else [event]


def _unsound(value: object) -> str:
    return (
        f"The handler's result holds {value!r}; expected nothing, or "
        "{'batchItemFailures': [{'itemIdentifier': ...}]} with identifiers of the batch's records."
    )
