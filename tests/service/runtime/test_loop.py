"""service.runtime.loop: an application cannot tell the first step from any other."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from service.runtime.loop import RequestLoop

VARIABLE: contextvars.ContextVar[int] = contextvars.ContextVar("VARIABLE", default=0)


@pytest.fixture
def loop() -> Iterator[RequestLoop]:
    made = RequestLoop()
    yield made
    made.run_until_complete(made.shutdown_default_executor())
    made.close()


def run(loop: RequestLoop, coroutine: Any, seconds: float | None = 5) -> bool:
    return loop.run(coroutine, lambda: seconds)


def test_the_first_step_has_a_task_a_loop_and_a_context_of_its_own(loop: RequestLoop) -> None:
    async def step() -> None:
        assert asyncio.get_running_loop() is loop
        assert loop.is_running()
        task = asyncio.current_task()
        assert task is not None
        assert task.get_loop() is loop
        VARIABLE.set(1)

    assert run(loop, step())
    assert not loop.is_running()
    assert VARIABLE.get() == 0
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()


def test_a_step_that_waits_goes_on_in_turns(loop: RequestLoop) -> None:
    seen = []

    async def waits() -> None:
        seen.append(await asyncio.to_thread(threading.get_ident))
        async with asyncio.timeout(5):
            await asyncio.sleep(0.001)
        seen.append(threading.get_ident())

    assert run(loop, waits())
    assert seen[0] != seen[1]


def test_an_exception_of_either_step_is_raised(loop: RequestLoop) -> None:
    async def fails(turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        raise ZeroDivisionError

    for turns in (0, 1):
        with pytest.raises(ZeroDivisionError):
            run(loop, fails(turns))


def test_what_takes_too_long_is_cancelled_and_the_loop_goes_on(loop: RequestLoop) -> None:
    seen = []

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("cancelled")

    assert not run(loop, slow(), 0.01)
    assert run(loop, asyncio.sleep(0.001))
    assert seen == ["cancelled"]


def test_what_takes_too_long_is_cancelled_even_if_the_process_stood_still_meanwhile(
    loop: RequestLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_timer = loop.call_later

    def slowly(*arguments: Any, **named: Any) -> asyncio.TimerHandle:
        timer = set_timer(*arguments, **named)
        time.sleep(0.02)
        return timer

    monkeypatch.setattr(loop, "call_later", slowly)
    assert not run(loop, asyncio.sleep(3), 0.01)


def test_an_exit_in_a_task_of_the_request_s_ends_the_run_and_leaves_a_loop_that_runs(
    loop: RequestLoop,
) -> None:
    async def exits() -> None:
        sys.exit(3)

    async def request() -> None:  # which logs whatever it meets, as an exchange does
        with contextlib.suppress(SystemExit):
            await asyncio.gather(exits())

    with pytest.raises(SystemExit):
        run(loop, request())
    assert loop.run_until_complete(asyncio.sleep(0.001, "goes on")) == "goes on"


def test_a_request_that_ends_as_its_time_does_stops_nothing_that_comes_after(
    loop: RequestLoop,
) -> None:
    async def request() -> None:
        await asyncio.sleep(0)
        time.sleep(0.05)
        await asyncio.sleep(0)

    run(loop, request(), 0.04)
    assert loop.run_until_complete(asyncio.sleep(0.001, "goes on")) == "goes on"


def test_what_will_not_be_cancelled_is_left_behind(loop: RequestLoop) -> None:
    stop = asyncio.Event()

    async def stubborn() -> None:
        while not stop.is_set():
            try:
                await stop.wait()
            except asyncio.CancelledError:
                continue

    started = time.monotonic()
    assert not run(loop, stubborn(), 0.01)
    assert time.monotonic() - started < 30
    assert run(loop, asyncio.sleep(0.001))
    stop.set()
    assert run(loop, asyncio.sleep(0.001))


def test_a_timer_and_a_task_get_their_turns_between_requests_that_never_wait(
    loop: RequestLoop,
) -> None:
    seen: list[str] = []

    async def begins() -> None:
        asyncio.get_running_loop().call_later(0, seen.append, "timer")
        loop.background = asyncio.create_task(ticks())  # type: ignore[attr-defined]

    async def ticks() -> None:
        for number in range(3):
            seen.append(str(number))
            await asyncio.sleep(0)

    async def request() -> None:
        """Ends at once."""

    assert run(loop, begins())
    for _ in range(5):
        assert run(loop, request())
    assert sorted(seen) == ["0", "1", "2", "timer"]


def test_a_timer_alone_gets_its_turn(loop: RequestLoop) -> None:
    seen: list[str] = []

    async def begins() -> None:
        asyncio.get_running_loop().call_later(0, seen.append, "timer")

    assert run(loop, begins())
    assert seen == ["timer"]


def test_a_connection_gets_its_turns_between_requests_that_never_wait(loop: RequestLoop) -> None:
    ours, theirs = socket.socketpair()
    seen: list[bytes] = []

    async def begins() -> None:
        loop.add_reader(ours, lambda: seen.append(ours.recv(1)))

    async def request() -> None:
        """Ends at once."""

    with ours, theirs:
        assert run(loop, begins())
        theirs.send(b"a")
        assert run(loop, request())
        loop.remove_reader(ours)
    assert seen == [b"a"]


def test_an_abandoned_async_generator_of_the_first_step_is_closed_by_the_loop(
    loop: RequestLoop,
) -> None:
    closed = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            closed.append(True)

    async def abandons() -> None:
        async for _ in numbers():
            break

    assert run(loop, abandons())
    for _ in range(4):
        assert run(loop, asyncio.sleep(0))
    assert closed == [True]


def test_each_of_two_loops_closes_the_async_generators_of_its_own_steps(
    loop: RequestLoop,
) -> None:
    closed: list[asyncio.AbstractEventLoop] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            closed.append(asyncio.get_running_loop())

    async def abandons() -> None:
        async for _ in numbers():
            break

    other = RequestLoop()
    for used in (loop, other, loop):
        assert run(used, abandons())
        assert run(used, asyncio.sleep(0))
    other.close()
    assert closed == [loop, other, loop]


def test_a_request_leaves_the_hooks_of_the_thread_as_they_were(loop: RequestLoop) -> None:
    before = sys.get_asyncgen_hooks()
    assert run(loop, asyncio.sleep(0))
    assert sys.get_asyncgen_hooks() == before


def test_a_closed_loop_runs_nothing() -> None:
    closed = RequestLoop()
    closed.close()
    step = asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="Event loop is closed"):
        run(closed, step)
    step.close()


def test_what_else_asks_for_a_turn_while_a_task_is_made_gets_it(loop: RequestLoop) -> None:
    seen: list[str] = []

    class Asks:
        """Is finalized when the task asks whether the loop is in debug mode."""

        def __del__(self) -> None:
            loop.call_soon(seen.append, "finalized")

    held = [Asks()]

    def get_debug() -> bool:
        held.clear()
        return False

    async def request() -> None:
        seen.append("request")

    loop.get_debug = get_debug  # type: ignore[method-assign]
    assert run(loop, request())
    assert seen == ["request", "finalized"]


def test_a_loop_that_the_application_stops_goes_on(loop: RequestLoop) -> None:
    async def stops() -> None:
        await asyncio.sleep(0)
        loop.stop()
        await asyncio.sleep(0.001)

    assert run(loop, stops())


def test_asyncio_s_debug_mode_and_a_task_factory_change_nothing(loop: RequestLoop) -> None:
    seen: list[str] = []

    async def child(name: str) -> None:
        seen.append(f"{name} begins")
        await asyncio.sleep(0)
        seen.append(f"{name} ends")

    async def request() -> None:
        async with asyncio.TaskGroup() as group:
            for name in ("a", "b"):
                group.create_task(child(name))

    loop.set_debug(True)
    # From Python 3.12 on, a child's first step is taken within its parent's.
    loop.set_task_factory(getattr(asyncio, "eager_task_factory", None))
    assert run(loop, request())
    assert seen == ["a begins", "b begins", "a ends", "b ends"]


def test_another_loop_cannot_run_within_a_first_step(loop: RequestLoop) -> None:
    async def nothing() -> None:
        """Never run."""

    async def request() -> None:
        inner = nothing()
        with pytest.raises(RuntimeError, match="running event loop"):
            asyncio.run(inner)
        inner.close()

    assert run(loop, request())
