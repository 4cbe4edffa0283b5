"""service.runtime.threads: functions that block, beside the event loop."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from service.runtime.logs import REQUEST_ID
from service.runtime.threads import Threads, in_thread


def test_a_function_runs_in_a_thread_with_the_callers_context() -> None:
    async def run() -> tuple[str, bool]:
        REQUEST_ID.set("message-7")
        return await in_thread(lambda: (REQUEST_ID.get(), threading.current_thread().daemon))

    assert asyncio.run(run()) == ("message-7", True)


@pytest.mark.parametrize(
    ("raised", "arrives"),
    [
        (ValueError("a"), ValueError),
        (SystemExit(3), SystemExit),
        (StopIteration(), RuntimeError),
    ],
)
def test_what_a_function_raises_arrives(
    raised: BaseException, arrives: type[BaseException]
) -> None:
    def fail() -> None:
        raise raised

    with pytest.raises(arrives):
        asyncio.run(in_thread(fail))


def test_a_coroutine_function_runs_on_the_loop() -> None:
    async def where(_: Any) -> threading.Thread:
        return threading.current_thread()

    def nobody() -> None:
        raise AssertionError("nothing was given up")

    threads = Threads(nobody)
    found = asyncio.run(threads.call(where, None))
    assert found is threading.current_thread()
    assert not threads.cut_off


def test_a_coroutine_function_that_is_cancelled_may_leave_a_thread_behind() -> None:
    async def stuck(_: Any) -> None:
        await asyncio.Event().wait()

    async def run() -> None:
        async with asyncio.timeout(0.05):
            await threads.call(stuck, None)

    threads = Threads(lambda: None)
    with pytest.raises(TimeoutError):
        asyncio.run(run())
    assert threads.cut_off


def test_a_thread_that_nobody_waits_for_is_told() -> None:
    told: list[bool] = []
    ends = threading.Event()

    async def run() -> None:
        async with asyncio.timeout(0.05):
            await Threads(lambda: told.append(True)).call(lambda _: ends.wait(), None)

    with pytest.raises(TimeoutError):
        asyncio.run(run())
    ends.set()
    assert told == [True]


def test_a_handler_that_awaits_a_cancelled_task_was_not_cut_off_itself() -> None:
    threads = Threads(lambda: None)

    async def handler(_: object) -> None:
        task = asyncio.ensure_future(asyncio.sleep(60))
        asyncio.get_running_loop().call_soon(task.cancel)
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(threads.call(handler, None))
    assert not threads.cut_off
