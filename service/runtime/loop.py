"""The event loop of one process that serves one request at a time."""

import asyncio
import selectors
import sys
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any

_FAREWELL = 0.1  # seconds for a task to end after it was cancelled

_Loop = asyncio.SelectorEventLoop
Step = tuple[Callable[..., object], tuple[Any, ...], Context]


class RequestLoop(_Loop):
    """Runs a request's first step without a turn of its own.

    Most requests end in it, and a turn of the loop (two callbacks, two looks at the
    selector) takes longer than they do. The step is that of a Task, in a context of
    its own, under a running loop, so that an application cannot tell the difference;
    `eager_start` does the same from Python 3.12 on, but only within a turn.
    """

    def __init__(self) -> None:
        self._stepping = False
        self._beginning = False
        self._first: Step | None = None
        self._expired = False
        self._turning = False
        selector = selectors.DefaultSelector()
        self._watched = selector.get_map()
        super().__init__(selector)
        # What run_forever sets, and the binding of which takes a while.
        self._hooks = self._asyncgen_firstiter_hook, self._asyncgen_finalizer_hook  # type: ignore[attr-defined]

    def is_running(self) -> bool:
        """Also during a first step."""
        return self._stepping or super().is_running()

    def run(
        self, coroutine: Coroutine[Any, Any, None], seconds: Callable[[], float | None]
    ) -> bool:
        """Whether the coroutine has ended in time; else it is cancelled, and the loop goes on.

        What the application has left to do (timers, tasks, connections) gets a turn.
        """
        if self._closed:  # type: ignore[attr-defined]
            raise RuntimeError("Event loop is closed")
        task = self._begun(coroutine)
        if not task.done():
            return self._ended(task, seconds())
        # The selector watches one socket of the loop's own.
        if self._ready or self._scheduled or len(self._watched) > 1:  # type: ignore[attr-defined]
            self.call_soon(self.stop)
            self.run_forever()
        task.result()
        return True

    def _begun(self, coroutine: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """The coroutine's task, after its first step."""
        self._beginning = True
        try:
            task = asyncio.Task(coroutine, loop=self)
        finally:
            self._beginning = False
        callback, arguments, context = self._first  # type: ignore[misc]
        self._first = None
        sys.set_asyncgen_hooks(*self._hooks)
        asyncio._set_running_loop(self)
        self._stepping = True
        try:
            context.run(callback, *arguments)
        finally:
            self._stepping = False
            asyncio._set_running_loop(None)
            sys.set_asyncgen_hooks(None, None)  # as a thread has them outside of a loop
        return task

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> Any:  # type: ignore[override]
        """As ever; but the first step of a request, which its task asks for, is only kept.

        What else asks in that moment, say a finalizer, gives no context.
        """
        if self._beginning and context is not None:
            self._first = callback, args, context
            return None
        return _Loop.call_soon(self, callback, *args, context=context)  # super() takes longer

    def _ended(self, task: "asyncio.Task[None]", seconds: float | None) -> bool:
        task.add_done_callback(self._end)
        self._turning = True
        try:
            self._turn(task, seconds)
            if task.done():
                task.result()
                return True
            task.cancel()
            self._turn(task, _FAREWELL)
            return False
        finally:
            self._turning = False

    def _turn(self, task: "asyncio.Task[None]", seconds: float | None) -> None:
        """The task is done, or has had its time."""
        self._expired = False
        timer = None if seconds is None else self.call_later(seconds, self._expire)
        try:
            while not (task.done() or self._expired):
                self.run_forever()
        finally:
            if timer is not None:
                timer.cancel()

    def _expire(self) -> None:
        self._expired = True
        self.stop()

    def _end(self, _: object) -> None:
        """May be called late: the task was done, and the time over, in one turn of the loop."""
        if self._turning:
            self.stop()
