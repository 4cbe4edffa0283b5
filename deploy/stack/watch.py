"""EDGE: waits for a stack, and says how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from deploy.console import Console
from deploy.errors import AwsError, StackError
from deploy.stack import Stack, StackEvent
from deploy.stack.boot_log import BootLogs, LogReader
from deploy.stack.hints import Hints
from deploy.stack.progress import Goal, Progress, failure_report, observe

# The longest silence: an instance has an hour to say that it serves (boot_timeout_minutes).
BOUND_SECONDS = 5400.0


class Reporter(LogReader, Protocol):
    """The questions to ask of a stack; Aws answers them."""

    def stack(self, name: str) -> Stack | None: ...
    def events(self, stack: str, after: str = "") -> Sequence[StackEvent]: ...


@dataclass(frozen=True)
class Pace:
    """Time as the wait sees it: a clock in seconds, a way to let time pass, a bound.

    The bound is on the time without news; how long all may take, CloudFormation decides.
    """

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    bound: float = BOUND_SECONDS


REAL_TIME = Pace()


@dataclass(frozen=True)
class Waiting:
    """What is waited for: a stack's goal; `seen` is the newest event from before."""

    stack_id: str
    stack: str
    goal: Goal
    hints: Hints
    expected: frozenset[str] = frozenset()
    seen: str = ""

    @property
    def goes_on(self) -> str:
        return f"Stack {self.stack!r} goes on in AWS; look at it with: {self.hints.status}"


def watch(aws: Reporter, waiting: Waiting, console: Console, pace: Pace = REAL_TIME) -> Progress:
    """The operation has succeeded.

    Raises:
        StackError: it failed, with the first causes and the logs of instances that did not
            boot; or nothing was heard of it for longer than the bound.
        KeyboardInterrupt: Ctrl-C; the message says that the stack goes on by itself.
    """
    progress = Progress(
        waiting.stack, waiting.goal, waiting.expected, pace.clock(), seen=waiting.seen
    )
    logs = BootLogs(aws, waiting.stack_id)
    try:
        while not progress.ended:
            progress = _look(aws, waiting, progress, logs, console=console, pace=pace)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(waiting.goes_on) from None
    except AwsError as error:
        raise AwsError(f"{error}\n{waiting.goes_on}") from error
    if not progress.succeeded:
        raise StackError(failure_report(progress, waiting.hints, logs.report()))
    return progress


def _look(
    aws: Reporter,
    waiting: Waiting,
    progress: Progress,
    logs: BootLogs,
    *,
    console: Console,
    pace: Pace,
) -> Progress:
    # The status first: the events asked for after it hold all that led to it.
    stack = aws.stack(waiting.stack_id)
    events = aws.events(waiting.stack_id, progress.seen)
    progress, lines = observe(progress, stack, events, pace.clock())
    for line in lines:
        console.note(line)
    logs.look(events)
    now = pace.clock()
    if not progress.ended:
        if (silent := now - max(progress.started, progress.heard)) > pace.bound:
            raise StackError(_too_long(progress, silent, waiting))
        pace.sleep(_pause(now - progress.started))
    return progress


def _pause(elapsed: float) -> float:
    """Short at first, for a stack on this machine; then sparing of AWS's request limits."""
    return min(3.0, 0.05 + elapsed / 10)


def _too_long(progress: Progress, seconds: float, waiting: Waiting) -> str:
    return (
        f"Stack {progress.stack!r} is still in {progress.status}, and nothing was heard of it for "
        f"{seconds:.0f} s. It goes on in AWS; look at it with: {waiting.hints.status}"
    )
