"""A function that takes events: where it may run, for how long, and how it is called."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from service.errors import HandlerTimeoutError
from service.runtime.event_kind import INVOKE, SQS, Kind
from service.settings import Mode

Function = Callable[[Any], Any]
Typed = Callable[[Any], Any]
Call = Callable[[Function, Any], Awaitable[Any]]
Place = Literal["lambda", "instance", "either"]

PLACES = ("lambda", "instance", "either")
LAMBDA_SECONDS = 900  # "Lambda quotas": function timeout
SQS_SECONDS = 43_200  # "Amazon SQS visibility timeout": 12 hours from the receipt on


async def inline(function: Function, argument: Any) -> Any:
    """What the function returns, called on the event loop; an awaitable is awaited."""
    result = function(argument)
    return await result if inspect.isawaitable(result) else result


@dataclass(frozen=True)
class Runtime:
    """Where events are handled, by which URLs its queues go, and how functions are called."""

    mode: Mode = "lambda"
    queues: Mapping[str, str] = field(default_factory=dict)
    call: Call = inline

    def names(self, queue: str) -> tuple[str, ...]:
        """What a handler may call the queue: SQS's name for it, and those of the stack."""
        ours = (name for name, url in self.queues.items() if url.rpartition("/")[2] == queue)
        return (queue, *ours)


@dataclass(frozen=True)
class EventHandler:
    """One declared handler.

    `by_record` says that the function takes one record at a time, and `typed` makes of
    the event, or of the record, what it takes. `timeout` is in seconds.

    Raises:
        ValueError: it can run nowhere as declared.
    """

    function: Function
    kind: Kind = INVOKE
    runtime: Place = "either"
    timeout: float | None = None
    typed: Typed | None = None
    by_record: bool = False

    def __post_init__(self) -> None:
        if problem := self._problem():
            raise ValueError(f"{self.kind.decorator} {self.name!r}: {problem}")

    @property
    def name(self) -> str:
        """The function's, as its module knows it."""
        return getattr(self.function, "__qualname__", repr(self.function))

    def runs_in(self, mode: Mode) -> bool:
        """Whether it may run there."""
        return self.runtime in ("either", mode)

    async def call(self, argument: Any, runtime: Runtime) -> Any:
        """What the function returns.

        A timeout cancels what the function awaits. A function that awaits nothing has none
        on Lambda, where the function's own timeout holds; the worker gives it up.

        Raises:
            HandlerTimeoutError: it took longer than its timeout.
            RuntimeError: it awaited a task that was cancelled; a CancelledError would end
                the process, as it is no Exception.
        """
        limit = asyncio.timeout(self.timeout)
        try:
            async with limit:
                taken = argument if self.typed is None else self.typed(argument)
                return await runtime.call(self.function, taken)
        except TimeoutError as error:
            if not limit.expired():
                raise  # the function's own
            raise HandlerTimeoutError(self._late()) from error
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise  # asked for from outside: the worker stops
            raise RuntimeError("A task that the event handler awaited was cancelled.") from error

    def _problem(self) -> str:
        if self.runtime not in PLACES:
            return f"runtime is {self.runtime!r}; expected one of {', '.join(PLACES)}."
        if self.kind.queue and self.kind.source != SQS:
            return f"queue= is for {SQS!r} only."
        if self.timeout is not None and self.timeout <= 0:
            return f"timeout is {self.timeout} s; expected more than 0."
        if self.timeout is not None and self.runtime != "instance":
            return self._too_long_for_lambda(self.timeout)
        if self.timeout is not None and self.kind.source == SQS and self.timeout > SQS_SECONDS:
            return (
                f"timeout is {self.timeout} s, but SQS keeps a message from others for "
                f"{SQS_SECONDS} s at most. Divide the work into shorter messages."
            )
        return ""

    def _too_long_for_lambda(self, timeout: float) -> str:
        if timeout <= LAMBDA_SECONDS:
            return ""
        return (
            f"timeout is {timeout} s, but Lambda ends a function after {LAMBDA_SECONDS} s. "
            f"Declare runtime='instance', or a timeout of at most {LAMBDA_SECONDS}."
        )

    def _late(self) -> str:
        return (
            f"The handler {self.name!r} of {self.kind} took longer than its timeout of "
            f"{self.timeout} s. Raise the timeout, or divide the work."
        )
