"""EDGE: takes a stack away, and says what stays."""

from __future__ import annotations

from dataclasses import dataclass

from deploy.aws import Aws
from deploy.console import Console
from deploy.errors import StackError
from deploy.stack import Stack, StackResource
from deploy.stack.hints import Hints
from deploy.stack.progress import Goal, Progress
from deploy.stack.watch import REAL_TIME, Pace, Waiting, watch

_DELETABLE_IN_PROGRESS = frozenset(
    ["CREATE_IN_PROGRESS", "REVIEW_IN_PROGRESS", "DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"]
)


@dataclass(frozen=True)
class Deletion:
    """What was deleted and what was kept, since the template says so; `seconds` it took."""

    stack: str
    kept: tuple[StackResource, ...]
    seconds: float


def delete(
    aws: Aws, stack: Stack, console: Console, hints: Hints, pace: Pace = REAL_TIME
) -> Deletion:
    """The stack is gone.

    Raises:
        StackError: it is being updated, or something is in the way.
    """
    if stack.status.endswith("_IN_PROGRESS") and stack.status not in _DELETABLE_IN_PROGRESS:
        raise StackError(
            f"Stack {stack.name!r} is in {stack.status} and cannot be deleted now. "
            f"Wait for the end ({hints.status} shows it) and run the same command again."
        )
    start = pace.clock()
    expected = frozenset(resource.logical_id for resource in aws.resources(stack.id))
    seen = aws.last_event(stack.id)
    waiting = Waiting(stack.id, stack.name, Goal.DELETE, hints, expected, seen)
    with console.step(f"Deleting stack {stack.name!r}"):
        aws.delete_stack(stack.id)
        progress = watch(aws, waiting, console, pace)
    return Deletion(stack.name, kept(progress), pace.clock() - start)


def kept(progress: Progress) -> tuple[StackResource, ...]:
    """What the deletion left in place, since the template says so.

    A version of a function is kept by CloudFormation, but goes with its function.
    """
    skipped = [
        StackResource(event.logical_id, event.physical_id, event.type, event.status)
        for event in progress.events
        if event.status == "DELETE_SKIPPED"
    ]
    function_stays = any(one.type == "AWS::Lambda::Function" for one in skipped)
    return tuple(one for one in skipped if function_stays or one.type != "AWS::Lambda::Version")
