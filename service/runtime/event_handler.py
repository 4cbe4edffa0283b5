"""A function that takes events: where it may run, for how long, and how it is called."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from service.errors import EventHandlerError, HandlerTimeoutError
from service.runtime.event_kind import INVOKE, SQS, Kind
from service.settings import Mode

Function = Callable[[Any], Any]
Typed = Callable[[Any], Any]
Call = Callable[[Function, Any], Awaitable[Any]]
Place = Literal["lambda", "instance", "either"]

PLACES = ("lambda", "instance", "either")
LAMBDA_SECONDS = 900  # "Lambda quotas": function timeout
SQS_SECONDS = 43_200  # "Amazon SQS visibility timeout": 12 hours from the receipt on
MORE_TIME = "Raise timeout_seconds, take fewer records at once, or declare runtime='instance'."


async def inline(function: Function, argument: Any) -> Any:
    """What the function returns, called on the event loop; an awaitable is awaited."""
    result = function(argument)
    return await result if inspect.isawaitable(result) else result


@dataclass(frozen=True)
class Runtime:
    """Where events are handled, by which URLs its queues go, and how functions are called.

    What is not done at `deadline`, a time.monotonic(), comes again.
    """

    mode: Mode = "lambda"
    queues: Mapping[str, str] = field(default_factory=dict)
    call: Call = inline
    deadline: float | None = None

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
            raise ValueError(f"{self._declared}: {problem}")

    @property
    def name(self) -> str:
        """The function's, as its module knows it."""
        return getattr(self.function, "__qualname__", repr(self.function))

    def runs_in(self, mode: Mode) -> bool:
        """Whether it may run there."""
        return self.runtime in ("either", mode)

    def too_long(self, seconds: int) -> str:
        """What is wrong where Lambda ends the function after so long; empty where nothing is."""
        if self.timeout is None or self.timeout <= seconds or not self.runs_in("lambda"):
            return ""
        return (
            f"{self._declared}: timeout is {self.timeout} s, but Lambda ends the function after "
            f"timeout_seconds, {seconds} s. Raise timeout_seconds under [tool.twofold] in "
            "pyproject.toml, lower the timeout, or declare runtime='instance'."
        )

    async def call(self, argument: Any, runtime: Runtime) -> Any:
        """What the function returns.

        A timeout cancels what the function awaits, and so does the runtime's deadline. A
        function that awaits nothing has none on Lambda, where the function's own timeout
        holds; the worker gives it up.

        Raises:
            HandlerTimeoutError: it took longer than its timeout, or than the deadline.
            EventHandlerError: it called sys.exit, or raised what else is no Exception; that
                fails its event or record alone.
            RuntimeError: it awaited a task that was cancelled; a CancelledError would end
                the process, as it is no Exception.
        """
        began = time.monotonic()  # the event loop's clock
        limit, last = asyncio.timeout(self.timeout), asyncio.timeout_at(runtime.deadline)
        try:
            async with last, limit:
                taken = argument if self.typed is None else self.typed(argument)
                return await runtime.call(self.function, taken)
        except TimeoutError as error:
            if last.expired():
                raise HandlerTimeoutError(self._cut_off(time.monotonic() - began)) from error
            if limit.expired():
                raise HandlerTimeoutError(self._late()) from error
            raise  # the function's own
        except (Exception, KeyboardInterrupt, GeneratorExit):
            raise
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise  # asked for from outside: the worker stops
            raise RuntimeError("A task that the event handler awaited was cancelled.") from error
        except BaseException as error:  # SystemExit, or the group that anyio makes of it
            raise EventHandlerError(self._exit(error)) from error

    @property
    def _declared(self) -> str:
        return f"{self.kind.decorator('each' if self.by_record else 'on')} {self.name!r}"

    def _problem(self) -> str:
        if self.runtime not in PLACES:
            return f"runtime is {self.runtime!r}; expected one of {', '.join(PLACES)}."
        if self.kind.queue and self.kind.source != SQS:
            return f"queue= is for {SQS!r} only."
        if self.kind.detail_type and self.kind.source.startswith("aws:"):
            return "a detail type is for EventBridge's sources only; name a queue by queue=."
        if self.typed is not None and not callable(self.typed):
            return f"typed is {self.typed!r}; expected a class or function that takes the event."
        return self._wrong_function() or self._wrong_timeout()

    def _wrong_function(self) -> str:
        if inspect.isgeneratorfunction(self.function) or inspect.isasyncgenfunction(self.function):
            return "it has a `yield`, so calling it does nothing. Write it without."
        if not inspect.isfunction(self.function) or _says_what_another_takes(self.function):
            return ""
        try:
            inspect.signature(self.function).bind(None)
        except TypeError as error:
            what = "the record" if self.by_record else "the event"
            return f"it is called with {what} and nothing else, but {error}."
        return ""

    def _wrong_timeout(self) -> str:
        if self.timeout is None:
            return ""
        is_number = isinstance(self.timeout, int | float) and self.timeout is not True
        if not (is_number and self.timeout > 0):
            return f"timeout is {self.timeout!r}; expected seconds, more than 0."
        if self.runtime != "instance":
            return self._too_long_for_lambda(self.timeout)
        if self.kind.source == SQS and self.timeout > SQS_SECONDS:
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

    def _exit(self, error: BaseException) -> str:
        return (
            f"The handler {self.name!r} of {self.kind} tried to end the process: {error!r}. "
            "Raise an error that says what is wrong with the event."
        )

    def _late(self) -> str:
        return (
            f"The handler {self.name!r} of {self.kind} took longer than its timeout of "
            f"{self.timeout} s. Raise the timeout, or divide the work."
        )

    def _cut_off(self, seconds: float) -> str:
        return (
            f"The handler {self.name!r} of {self.kind} was cut off after {seconds:.3g} s: the "
            f"time of the function's invocation is over. {MORE_TIME}"
        )


def _says_what_another_takes(function: Function) -> bool:
    """Of a decorator's function: it may pass more than it gets."""
    return hasattr(function, "__wrapped__") or hasattr(function, "__signature__")
