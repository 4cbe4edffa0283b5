"""Which handler takes an event."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from service.errors import UnhandledEventError
from service.runtime import batch
from service.runtime.batch import Outcome
from service.runtime.event_handler import EventHandler, Function, Place, Runtime, Typed
from service.runtime.event_kind import Kind, kind_of, shape

Event = dict[str, Any]
H = TypeVar("H", bound=Function)

_HTTP = "HTTP (Function URL, HTTP API, REST API, load balancer)"
_PLACES = {"lambda": "on Lambda", "instance": "on an instance"}


class EventRouter:
    """Event handlers by the kind of event that they take; each may be `def` or `async def`."""

    def __init__(self) -> None:
        self._handlers: dict[Kind, EventHandler] = {}

    def on(
        self,
        source: str,
        detail_type: str | None = None,
        *,
        queue: str | None = None,
        runtime: Place = "either",
        timeout: float | None = None,
        typed: Typed | None = None,
    ) -> Callable[[H], H]:
        """Makes the decorated function the handler of one kind of event, which it gets whole.

        `source` is what the records call themselves (`aws:sqs`, `aws:s3`, `aws:sns`,
        `aws:dynamodb`, `aws:kinesis`), or an EventBridge source such as `aws.events`
        or your own; `detail_type` narrows the latter, for example to `Scheduled Event`,
        and `queue` the messages of SQS, by the stack's name for the queue or SQS's own.
        The handler that names more goes first. `runtime` says where it may run, `timeout`
        for how many seconds; `typed` makes of the event what the function takes.
        """
        kind = _named(source, detail_type, queue)
        return self._adding(kind, runtime, timeout, typed, by_record=False)

    def each(
        self,
        source: str,
        detail_type: str | None = None,
        *,
        queue: str | None = None,
        runtime: Place = "either",
        timeout: float | None = None,
        typed: Typed | None = None,
    ) -> Callable[[H], H]:
        """As `on`, but the function gets one record at a time, and a record that raises fails.

        The other records of the batch are not harmed: see `service.runtime.batch`. `timeout`
        and `typed` are the record's.
        """
        kind = _named(source, detail_type, queue)
        return self._adding(kind, runtime, timeout, typed, by_record=True)

    def invoke(self, handler: H) -> H:
        """Makes the decorated function the handler of every JSON value that is no AWS event."""
        self._add(EventHandler(handler))
        return handler

    async def dispatch(self, event: Any, runtime: Runtime) -> Outcome:
        """What the handler that takes `event` came to.

        Raises:
            UnhandledEventError: no handler takes it there; the message names what is handled.
            BatchReplyError: a handler of a whole batch returns what Lambda would not take.
        """
        handler = self.handler(event, runtime)
        if handler.by_record:
            return await batch.each(
                handler.kind.source,
                event,
                lambda record: handler.call(record, runtime),
                runtime.deadline,
            )
        result = await handler.call(event, runtime)
        return batch.whole(handler.kind.source, event, result)

    def handler(self, event: Any, runtime: Runtime) -> EventHandler:
        """The most specific handler that takes `event`.

        Raises:
            UnhandledEventError: there is none, or it may not run in this runtime.
        """
        kind = kind_of(event)
        for known in _from_narrow_to_wide(kind, runtime):
            if known in self._handlers:
                return _allowed(self._handlers[known], runtime)
        raise UnhandledEventError(self._unhandled(kind, event, runtime))

    def too_long(self, seconds: int) -> list[str]:
        """A line for each handler on Lambda that may take longer than an invocation may."""
        problems = (handler.too_long(seconds) for handler in self._handlers.values())
        return [problem for problem in problems if problem]

    def _adding(
        self,
        kind: Kind,
        runtime: Place,
        timeout: float | None,
        typed: Typed | None,
        by_record: bool,
    ) -> Callable[[H], H]:
        def add(function: H) -> H:
            self._add(EventHandler(function, kind, runtime, timeout, typed, by_record))
            return function

        return add

    def _add(self, handler: EventHandler) -> None:
        if handler.kind in self._handlers:
            taken = self._handlers[handler.kind].name
            raise ValueError(
                f"{handler.kind} has the handler {taken!r} already; keep it or {handler.name!r}."
            )
        self._handlers[handler.kind] = handler

    def _unhandled(self, kind: Kind, event: Any, runtime: Runtime) -> str:
        stays = kind if kind.queue is None else kind._replace(queue=runtime.names(kind.queue)[-1])
        handled = ", ".join([_HTTP, *map(_described, self._handlers.values())])
        return (
            f"Nobody handles the event {kind} ({shape(event)}). "
            f"Handled: {handled}. "
            f"Add a function under {stays.decorator()} to service/handler.py."
        )


def _named(source: str, detail_type: str | None, queue: str | None) -> Kind:
    for name, value in (("source", source), ("detail_type", detail_type), ("queue", queue)):
        if not (isinstance(value, str) and value) and (value is not None or name == "source"):
            raise ValueError(
                f"The {name} of an event handler is {value!r}; expected text, "
                "as in @events.on('aws:sqs', queue='orders')."
            )
    return Kind(source, detail_type, queue)


def _from_narrow_to_wide(kind: Kind, runtime: Runtime) -> Iterator[Kind]:
    if kind.queue is not None:
        yield from (kind._replace(queue=name) for name in runtime.names(kind.queue))
    yield kind._replace(queue=None)
    yield Kind(kind.source)


def _allowed(handler: EventHandler, runtime: Runtime) -> EventHandler:
    if handler.runs_in(runtime.mode):
        return handler
    raise UnhandledEventError(
        f"The event {handler.kind} came {_PLACES[runtime.mode]}, but its handler "
        f"{handler.name!r} runs {_PLACES[handler.runtime]} only. "
        f"Send it there, or declare runtime='either'."
    )


def _described(handler: EventHandler) -> str:
    if handler.runtime == "either":
        return str(handler.kind)
    return f"{handler.kind} ({_PLACES[handler.runtime]})"
