"""Which event is this: its source, EventBridge's detail type, the queue of a message.

An event comes from anybody, and Lambda prints the text of an error as it is and sends it in
a header, so here it is shown in few and printable characters.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

SQS = "aws:sqs"
_LONGEST_SHOWN = 100  # characters of a name
_MOST_SHOWN = 12  # keys of an event
# What AWS sends without naming itself, by keys that no other event has: the samples in the
# Developer Guides of the services.
_BY_KEYS = (
    ({"awslogs"}, "aws:logs"),
    ({"deliveryStreamArn", "records"}, "aws:firehose"),
    ({"triggerSource", "userPoolId"}, "aws:cognito"),
    ({"type", "methodArn"}, "aws:apigateway"),  # REST API's authorizers
    ({"type", "routeArn"}, "aws:apigateway"),  # HTTP API's
    ({"RequestType", "ResponseURL"}, "aws:cloudformation"),
    ({"CodePipeline.job"}, "aws:codepipeline"),
    ({"invokingEvent", "configRuleName"}, "aws:config"),
)
_JSON_TYPES = {list: "array", str: "string", bool: "boolean", type(None): "null"}


class Kind(NamedTuple):
    """What a handler names to get an event, and what an event says of itself."""

    source: str
    detail_type: str | None = None
    queue: str | None = None

    def __str__(self) -> str:
        """As a reader of an error message or a log line knows it."""
        queue = f" queue {_shown(self.queue)}" if self.queue else ""
        detail = f" / {_shown(self.detail_type)}" if self.detail_type else ""
        return _shown(self.source) + queue + detail

    def decorator(self, name: str = "on") -> str:
        """The line above a function that takes such events, or, named `each`, their records."""
        if self == INVOKE:
            return "@events.invoke"
        named = [
            f"'{_shown(part)}'" for part in (self.source, self.detail_type) if part is not None
        ]
        queue = [f"queue='{_shown(self.queue)}'"] if self.queue else []
        return f"@events.{name}({', '.join(named + queue)})"


INVOKE = Kind("direct invoke")


def kind_of(event: Any) -> Kind:
    """The kind of an AWS event; `INVOKE` for other JSON.

    The queue is the one that SQS knows: the last part of the ARN.
    """
    return next(_kinds(event), INVOKE)


def shape(event: Any) -> str:
    """What the event looks like, without what it says."""
    if isinstance(event, dict):
        return _keys(event) if event else "no keys"
    return "a JSON " + _JSON_TYPES.get(type(event), "number")


def _keys(event: dict[str, Any]) -> str:
    shown = [_shown(str(key)) for key in sorted(event)[:_MOST_SHOWN]]
    more = len(event) - len(shown)
    return "keys: " + ", ".join(shown) + (f" and {more} more" if more else "")


def _shown(text: str) -> str:
    """Nothing that ends a line, or cannot be written as UTF-8."""
    printable = ascii(text[:_LONGEST_SHOWN])[1:-1]
    return printable if len(text) <= _LONGEST_SHOWN else f"{printable}..."


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
        case {"Records": [{"cf": _}, *_]}:
            yield Kind("aws:cloudfront")
        case {"eventSource": str(source)}:  # Kafka, MQ, DocumentDB
            yield Kind(source)
        case {}:
            yield from (Kind(source) for keys, source in _BY_KEYS if keys <= event.keys())
