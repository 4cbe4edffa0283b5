"""What a batch of records comes to: which of them failed, in the words of Lambda.

Sources of the rules, in the AWS Lambda Developer Guide: "Handling errors for an SQS event
source in Lambda", "Configuring partial batch response with Kinesis Data Streams and Lambda",
"Configuring partial batch response with DynamoDB and Lambda". What is returned counts only
where the event source mapping has `ReportBatchItemFailures`.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from service.errors import BatchReplyError, HandlerTimeoutError
from service.runtime.event_handler import MORE_TIME
from service.runtime.event_kind import SQS

Record = dict[str, Any]
Call = Callable[[Record], Awaitable[Any]]
Failed = dict[str, Exception | None]

logger = logging.getLogger("service.event")

_IDENTIFIERS: Mapping[str, Callable[[Record], str]] = {
    SQS: lambda record: str(record["messageId"]),
    "aws:kinesis": lambda record: str(record["kinesis"]["sequenceNumber"]),
    "aws:dynamodb": lambda record: str(record["dynamodb"]["SequenceNumber"]),
}


@dataclass(frozen=True)
class Outcome:
    """What an event came to.

    `result` is what Lambda gets. `failed` has the identifiers of the records that it reports,
    each with what was raised; None where the handler itself reports it, or never got it.
    """

    result: Any
    failed: Mapping[str, Exception | None] = field(default_factory=dict)


async def each(source: str, event: Any, call: Call, deadline: float | None) -> Outcome:
    """Every record of the event is given to `call`, one after the other; what raises has failed.

    Of a queue the failed messages are reported; in a FIFO queue the later ones of their
    message group are not tried, and fail with them. Of a stream the first failure is
    reported and nothing after it is tried, since the stream is read again from there.
    What is not begun by the deadline, a time.monotonic(), is not tried and fails.

    Raises:
        Exception: records of another source failed, after all were tried: the failure of
            the one, or an ExceptionGroup. Nobody takes partial failures there.
    """
    if source == SQS:
        return _reported(await _queue(event["Records"], call, deadline))
    if source in _IDENTIFIERS:
        return _reported(await _stream(source, event["Records"], call, deadline))
    await _others(_records(event), call, deadline)
    return Outcome(None)


def whole(source: str, event: Any, result: Any) -> Outcome:
    """What the result of a handler of the whole event reports, and soundly.

    Of an unsound result Lambda takes every record for failed, and of one that has another key
    than `batchItemFailures` every record for done, without a word. An error is told in both
    runtimes.

    Raises:
        BatchReplyError: the result is not one that Lambda takes, or names no such record.
    """
    if source not in _IDENTIFIERS or result is None:
        return Outcome(result)
    named = _named(result)
    known = [_IDENTIFIERS[source](record) for record in event["Records"]] if named else []
    if unknown := [identifier for identifier in named if identifier not in known]:
        raise BatchReplyError(_unsound(unknown[0]))
    return Outcome(result, dict.fromkeys(named))


def _reported(failed: Failed) -> Outcome:
    """In the words of an event source mapping."""
    items = [{"itemIdentifier": identifier} for identifier in failed]
    return Outcome({"batchItemFailures": items}, failed)


def _named(result: Any) -> list[Any]:
    items = (result.get("batchItemFailures", result) or []) if isinstance(result, dict) else None
    if not isinstance(items, list):
        raise BatchReplyError(_unsound(result))
    return [item.get("itemIdentifier") if isinstance(item, dict) else item for item in items]


async def _queue(records: list[Record], call: Call, deadline: float | None) -> Failed:
    """A message may stand in a batch twice, as a queue delivers at least once."""
    errors: Failed = {}
    done: set[str] = set()
    stopped: set[str] = set()
    for record in _in_time(records, deadline):
        identifier, group = _IDENTIFIERS[SQS](record), group_of(record)
        if group in stopped:
            continue
        error = await _failure(record, identifier, call)
        if error is None:
            done.add(identifier)
        else:
            errors[identifier] = error
            stopped |= {group} - {""}
    identifiers = map(_IDENTIFIERS[SQS], records)
    return {one: errors.get(one) for one in identifiers if one in errors or one not in done}


async def _stream(source: str, records: list[Record], call: Call, deadline: float | None) -> Failed:
    identifiers = map(_IDENTIFIERS[source], records)
    for record in _in_time(records, deadline):
        identifier = next(identifiers)
        error = await _failure(record, identifier, call)
        if error is not None:
            return {identifier: error}
    return dict.fromkeys(islice(identifiers, 1))


async def _others(records: list[Record], call: Call, deadline: float | None) -> None:
    errors: list[Exception] = []
    untried = len(records)
    for record in _in_time(records, deadline):
        untried -= 1
        try:
            await call(record)
        except Exception as error:
            errors.append(error)
    failed = len(errors) + untried
    if untried:
        errors.append(HandlerTimeoutError(_untried(untried, len(records))))
    if len(errors) > 1:
        raise ExceptionGroup(f"{failed} of {len(records)} records failed", errors)
    if errors:
        raise errors[0]


def _in_time(records: list[Record], deadline: float | None) -> Iterator[Record]:
    """The records that can be begun by then; one line says how many cannot."""
    for number, record in enumerate(records):
        if deadline is not None and time.monotonic() >= deadline:
            logger.error("%s", _untried(len(records) - number, len(records)))
            return
        yield record


async def _failure(record: Record, identifier: str, call: Call) -> Exception | None:
    try:
        await call(record)
    except Exception as error:
        logger.exception("Record %s failed", identifier, extra={"record": identifier})
        return error
    return None


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


def _untried(number: int, among: int) -> str:
    return (
        f"{number} of {among} records were not tried, as the time of the function's invocation "
        f"is over. {MORE_TIME}"
    )


def _unsound(value: object) -> str:
    return (
        f"The handler's result holds {value!r}; expected nothing, or "
        "{'batchItemFailures': [{'itemIdentifier': ...}]} with identifiers of the batch's records."
    )
