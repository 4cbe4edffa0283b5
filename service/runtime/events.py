"""Which event is this, and which handler takes it."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from service.errors import UnhandledEventError

Event = dict[str, Any]
EventHandler = Callable[[Any], Any]
Kind = tuple[str, str | None]
H = TypeVar("H", bound=EventHandler)

INVOKE: Kind = ("direct invoke", None)
_JSON_TYPES = {list: "array", str: "string", bool: "boolean", type(None): "null"}
_HTTP = "HTTP (Function URL, HTTP API, REST API, load balancer)"


class EventRouter:
    """Event handlers by the kind of event that they take; each may be `def` or `async def`."""

    def __init__(self) -> None:
        self._handlers: dict[Kind, EventHandler] = {}

    def on(self, source: str, detail_type: str | None = None) -> Callable[[H], H]:
        """Makes the decorated function the handler of one kind of event.

        `source` is what the records call themselves (`aws:sqs`, `aws:s3`, `aws:sns`,
        `aws:dynamodb`, `aws:kinesis`), or an EventBridge source such as `aws.events`
        or your own; `detail_type` narrows the latter, for example to `Scheduled Event`.
        """
        return lambda handler: self._add((source, detail_type), handler)

    def invoke(self, handler: H) -> H:
        """Makes the decorated function the handler of every JSON value that is no AWS event."""
        return self._add(INVOKE, handler)

    async def dispatch(self, event: Any) -> Any:
        """The result of the handler that takes `event`.

        Raises:
            UnhandledEventError: no handler takes it; the message names what is handled.
        """
        result = self._handler(event)(event)
        return await result if inspect.isawaitable(result) else result

    def _add(self, kind: Kind, handler: H) -> H:
        if kind in self._handlers:
            taken = getattr(self._handlers[kind], "__qualname__", self._handlers[kind])
            raise ValueError(f"{describe(kind)} already has the handler {taken!r}; keep one.")
        self._handlers[kind] = handler
        return handler

    def _handler(self, event: Any) -> EventHandler:
        source, detail_type = kind_of(event)
        for kind in ((source, detail_type), (source, None)):
            if kind in self._handlers:
                return self._handlers[kind]
        raise UnhandledEventError(self._unhandled((source, detail_type), event))

    def _unhandled(self, kind: Kind, event: Any) -> str:
        handled = ", ".join([_HTTP, *(describe(known) for known in self._handlers)])
        return (
            f"Nobody handles the event {describe(kind)} ({_shape(event)}). "
            f"Handled: {handled}. "
            f"Add a function under {_decorator(kind)} to service/handler.py."
        )


def kind_of(event: Any) -> Kind:
    """The source of an AWS event, with EventBridge's detail type; `INVOKE` for other JSON."""
    return next(_kinds(event), INVOKE)


def describe(kind: Kind) -> str:
    """The kind as a reader of an error message or a log line knows it."""
    source, detail_type = kind
    return source if detail_type is None else f"{source} / {detail_type}"


def _kinds(event: Any) -> Iterator[Kind]:
    match event:
        case {"Records": [{"eventSource": str(source)}, *_]}:
            yield source, None
        case {"Records": [{"EventSource": str(source)}, *_]}:  # SNS alone writes it so
            yield source, None
        case {"source": str(source), "detail-type": str(detail_type)}:
            yield source, detail_type
        case {"requestContext": {"connectionId": _}}:
            yield "aws:websocket", None


def _shape(event: Any) -> str:
    if isinstance(event, dict):
        return "keys: " + ", ".join(sorted(map(str, event))) if event else "no keys"
    return "a JSON " + _JSON_TYPES.get(type(event), "number")


def _decorator(kind: Kind) -> str:
    if kind == INVOKE:
        return "@events.invoke"
    return f"@events.on({', '.join(repr(part) for part in kind if part is not None)})"
