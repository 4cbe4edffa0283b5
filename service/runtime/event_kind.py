"""Which event is this: its source, EventBridge's detail type, the queue of a message."""

from collections.abc import Iterator
from typing import Any, NamedTuple

SQS = "aws:sqs"
_JSON_TYPES = {list: "array", str: "string", bool: "boolean", type(None): "null"}


class Kind(NamedTuple):
    """What a handler names to get an event, and what an event says of itself."""

    source: str
    detail_type: str | None = None
    queue: str | None = None

    def __str__(self) -> str:
        """As a reader of an error message or a log line knows it."""
        queue = f" queue {self.queue}" if self.queue else ""
        return self.source + queue + (f" / {self.detail_type}" if self.detail_type else "")

    @property
    def decorator(self) -> str:
        """The line above a function that takes such events."""
        if self == INVOKE:
            return "@events.invoke"
        named = [repr(part) for part in (self.source, self.detail_type) if part is not None]
        queue = [f"queue={self.queue!r}"] if self.queue else []
        return f"@events.on({', '.join(named + queue)})"


INVOKE = Kind("direct invoke")


def kind_of(event: Any) -> Kind:
    """The kind of an AWS event; `INVOKE` for other JSON.

    The queue is the one that SQS knows: the last part of the ARN.
    """
    return next(_kinds(event), INVOKE)


def shape(event: Any) -> str:
    """What the event looks like, without what it says."""
    if isinstance(event, dict):
        return "keys: " + ", ".join(sorted(map(str, event))) if event else "no keys"
    return "a JSON " + _JSON_TYPES.get(type(event), "number")


def _kinds(event: Any) -> Iterator[Kind]:
    match event:
        case {"Records": [{"eventSource": "aws:sqs", "eventSourceARN": str(arn)}, *_]}:
            yield Kind(SQS, queue=arn.rpartition(":")[2])
        case {"Records": [{"eventSource": str(source)}, *_]}:
            yield Kind(source)
        case {"Records": [{"EventSource": str(source)}, *_]}:  # SNS alone writes it so
            yield Kind(source)
        case {"source": str(source), "detail-type": str(detail_type)}:
            yield Kind(source, detail_type)
        case {"requestContext": {"connectionId": _}}:
            yield Kind("aws:websocket")
