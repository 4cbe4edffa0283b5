"""Functions that block, each in a thread of its own, so that the event loop goes on."""

import asyncio
import contextlib
import contextvars
import inspect
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from service.runtime.event_handler import Function

T = TypeVar("T")


async def in_thread(function: Callable[..., T], *arguments: Any) -> T:
    """What the function returns, with the caller's context variables.

    The thread is a daemon: one that never ends does not keep the process alive, as the
    threads of an executor would. Whoever stops waiting leaves it running.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def settle(kept: Callable[[Any], None], value: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(lambda: None if future.done() else kept(value))

    def run() -> None:
        try:
            result = context.run(function, *arguments)
        except StopIteration as error:  # no future takes it
            settle(future.set_exception, RuntimeError(f"The function raised {error!r}."))
        except BaseException as error:
            settle(future.set_exception, error)
        else:
            settle(future.set_result, result)

    threading.Thread(target=run, name=getattr(function, "__name__", None), daemon=True).start()
    return await future


class Threads:
    """How the worker calls event handlers: `async def` on the loop, `def` in a thread.

    A thread cannot be stopped, so one that is waited for no longer (its handler's timeout
    has passed, or the worker stops) is told to `abandoned`. `cut_off` says whether any
    handler was cancelled, for a thread of its own may go on then, say asyncio.to_thread's.
    """

    def __init__(self, abandoned: Callable[[], None]) -> None:
        self._abandoned = abandoned
        self.cut_off = False

    async def call(self, function: Function, argument: Any) -> Any:
        """What the function returns; an awaitable is awaited on the loop."""
        try:
            if inspect.iscoroutinefunction(function):
                return await function(argument)
            result = await self._in_thread(function, argument)
            return await result if inspect.isawaitable(result) else result
        except asyncio.CancelledError:
            task = asyncio.current_task()
            self.cut_off |= task is not None and task.cancelling() > 0
            raise

    async def _in_thread(self, function: Function, argument: Any) -> Any:
        try:
            return await in_thread(function, argument)
        except asyncio.CancelledError:
            self._abandoned()
            raise
