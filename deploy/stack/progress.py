"""How far a stack operation got: from what AWS reports to lines and an end. Pure.

Made from (stack, new events, clock) again and again until `Progress.ended`; which state
ends what is in the CloudFormation User Guide, "Stack status codes".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from deploy.stack import STACK_TYPE, Stack, StackEvent
from deploy.stack.hints import Hints


class Goal(StrEnum):
    """What was asked of CloudFormation; the value is the stack's status when it succeeded."""

    CREATE = "CREATE_COMPLETE"
    UPDATE = "UPDATE_COMPLETE"
    DELETE = "DELETE_COMPLETE"


# A first creation that fails is deleted by CloudFormation (OnStackFailure=DELETE), so
# CREATE_FAILED is passed through and does not end it.
_ENDS = MappingProxyType(
    {
        Goal.CREATE: {
            "CREATE_COMPLETE",
            "ROLLBACK_COMPLETE",
            "ROLLBACK_FAILED",
            "DELETE_COMPLETE",
            "DELETE_FAILED",
        },
        Goal.UPDATE: {
            "UPDATE_COMPLETE",
            "UPDATE_FAILED",
            "UPDATE_ROLLBACK_COMPLETE",
            "UPDATE_ROLLBACK_FAILED",
        },
        Goal.DELETE: {"DELETE_COMPLETE", "DELETE_FAILED"},
    }
)
_DONE = frozenset(["CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE", "DELETE_SKIPPED"])
_SHOWN_CAUSES = 5
# What an event of a group says of its instances, while they come and go.
_OF_INSTANCES = re.compile(r"signal|instance\(s\)|autoscaling group")
_SIGNALS = re.compile(r"Received (\d+) (SUCCESS|FAILURE) signal\(s\) out of (\d+)")


@dataclass(frozen=True)
class Progress:
    """One operation on one stack, as far as it was seen.

    Attributes:
        stack: the stack's name.
        goal: what it shall become.
        expected: the logical IDs of what will change; empty when nobody knows.
        started: the clock's seconds at the beginning.
        heard: the clock's seconds at the newest event; 0 before there was one.
        seen: the ID of the newest event seen.
        events: all events of this operation so far, oldest first.
        status: the stack's last status.
        ended: nothing more will happen.
    """

    stack: str
    goal: Goal
    expected: frozenset[str]
    started: float
    heard: float = 0.0
    seen: str = ""
    events: tuple[StackEvent, ...] = ()
    status: str = ""
    ended: bool = False

    @property
    def succeeded(self) -> bool:
        return self.ended and self.status == self.goal.value

    @property
    def done(self) -> int:
        """How many resources got where they were going."""
        there = {e.logical_id for e in self.events if _is_done(e)}
        return len(there & self.expected if self.expected else there)


def observe(
    progress: Progress, stack: Stack | None, events: Sequence[StackEvent], now: float
) -> tuple[Progress, tuple[str, ...]]:
    """The progress after one look at the stack, and the lines to show for it.

    A status counts as the end only when this operation's own events hold it: right after
    an update begins, the stack still shows the end of the one before. A deleted stack stays
    so, whoever deleted it and when.
    """
    status = stack.status if stack else "DELETE_COMPLETE"
    history = progress.events + tuple(events)
    ends = {event.status for event in history if event.type == STACK_TYPE}
    gone = progress.goal is Goal.DELETE and status == "DELETE_COMPLETE"
    after = replace(
        progress,
        seen=events[-1].id if events else progress.seen,
        heard=now if events else progress.heard,
        events=history,
        status=status,
        ended=gone or (status in _ENDS[progress.goal] and status in ends),
    )
    return after, _lines(progress, events, now)


def _lines(progress: Progress, events: Sequence[StackEvent], now: float) -> tuple[str, ...]:
    lines, so_far = [], progress
    for event in events:
        so_far = replace(so_far, events=(*so_far.events, event))
        if _is_shown(event, progress.expected):
            lines.append(_line(so_far, event, now))
    return tuple(lines)


def _line(progress: Progress, event: StackEvent, now: float) -> str:
    total = len(progress.expected)
    count = f"{progress.done} of {total}" if total else f"{progress.done}"
    line = f"  {now - progress.started:4.0f} s  {count:>8}  {event.status:<20} {event.logical_id}"
    telling = event.status.endswith("_FAILED") or _OF_INSTANCES.search(event.reason)
    return f"{line}: {event.reason}" if telling and event.reason else line


def _is_done(event: StackEvent) -> bool:
    return event.status in _DONE and event.type != STACK_TYPE


def _is_shown(event: StackEvent, expected: frozenset[str]) -> bool:
    if event.reason.startswith("Resource creation Initiated"):
        return False  # the second event of each creation; it adds nothing to the first
    concerned = not expected or event.logical_id in expected or event.type == STACK_TYPE
    return concerned or event.status.endswith("_FAILED")


def first_causes(events: Sequence[StackEvent]) -> tuple[str, ...]:
    """Why it failed, the first cause first, a sentence each, without what it took along.

    CloudFormation cancels whatever else was under way when one resource fails; those
    events say nothing about the cause.
    """
    failed: dict[str, StackEvent] = {}
    for event in events:
        if event.status.endswith("_FAILED") and not _is_consequence(event):
            failed.setdefault(event.logical_id, event)
    return tuple(_cause(event, events) for event in failed.values())[:_SHOWN_CAUSES]


def _is_consequence(event: StackEvent) -> bool:
    return event.type == STACK_TYPE or re.search("cancell?ed", event.reason) is not None


def _cause(event: StackEvent, events: Sequence[StackEvent]) -> str:
    missing = re.search(r"Failed to receive (\d+) resource signal", event.reason)
    if missing:
        return _too_few_signals(event, events, int(missing[1]))
    counted = _SIGNALS.search(event.reason)
    if counted and counted[2] == "SUCCESS":
        return _signals(event, events, int(counted[1]), int(counted[3]))
    if counted:
        return f"{event.logical_id}: {counted[1]} of {counted[3]} instances signalled a failure."
    reason = event.reason or event.status
    return f"{event.logical_id}: {reason}" + ("" if reason.endswith(".") else ".")


def _too_few_signals(event: StackEvent, events: Sequence[StackEvent], missing: int) -> str:
    received = [
        one
        for one in events
        if one.logical_id == event.logical_id and one.reason.startswith("Received SUCCESS signal")
    ]
    return _signals(event, events, len(received), len(received) + missing)


def _signals(event: StackEvent, events: Sequence[StackEvent], received: int, wanted: int) -> str:
    began = next(one.time for one in events if one.logical_id == event.logical_id)
    seconds = (event.time - began).total_seconds()
    return f"{event.logical_id} got {received} of {wanted} signals in {seconds:.0f} s."


def _own_reason(events: Sequence[StackEvent]) -> str:
    """What CloudFormation says of the stack itself, as when it began with no resource."""
    for event in events:
        if event.type == STACK_TYPE and event.reason and re.search("FAIL|ROLLBACK", event.status):
            return event.reason
    return "CloudFormation gave no reason; look at the stack's events in its console."


_FAILED = MappingProxyType(
    {
        "DELETE_COMPLETE": (
            "was not created",
            "Nothing is left of it; correct the cause and retry.",
        ),
        "ROLLBACK_COMPLETE": ("rolled back", "Delete it with: {delete}"),
        "ROLLBACK_FAILED": ("could not be rolled back", "Delete it with: {delete}"),
        "DELETE_FAILED": (
            "could not be deleted",
            "Remove what is in the way, then run: {delete}",
        ),
        "UPDATE_ROLLBACK_COMPLETE": (
            "rolled back",
            "What ran before runs on; correct the cause and retry.",
        ),
        "UPDATE_ROLLBACK_FAILED": (
            "could not be rolled back",
            "{after_failed_rollback}",
        ),
    }
)


def failure_report(progress: Progress, hints: Hints, logs: Sequence[str] = ()) -> str:
    """What went wrong and the next step: a line for each cause, then what instances logged.

    Such as "Stack 'hello-dev' rolled back: ServiceFleet got 0 of 1 signals in 600 s."
    """
    unknown = (f"ended in {progress.status}", "Correct the cause.")
    verb, step = _FAILED.get(progress.status, unknown)
    causes = first_causes(progress.events) or (_own_reason(progress.events),)
    return "\n".join(
        [
            f"Stack {progress.stack!r} {verb}: {causes[0]}",
            *(f"  {line}" for line in (*causes[1:], *logs)),
            step.format(
                delete=hints.delete,
                after_failed_rollback=hints.after_failed_rollback(progress.stack),
            ),
        ]
    )
