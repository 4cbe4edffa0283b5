"""A stack as CloudFormation reports it, and what may be done to it next. Pure.

CloudFormation User Guide, "Understand CloudFormation stack creation events" and "Stack
status codes", is where the states come from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from deploy.errors import StackError
from deploy.stack.hints import Hints

STACK_TYPE = "AWS::CloudFormation::Stack"


@dataclass(frozen=True)
class Stack:
    """A stack's description; `id` is its ARN, which still finds it after it was deleted."""

    id: str
    name: str
    status: str
    reason: str
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class StackResource:
    """One resource of a stack."""

    logical_id: str
    physical_id: str
    type: str
    status: str


@dataclass(frozen=True)
class StackEvent:
    """One line of a stack's history."""

    id: str
    time: datetime
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str


@dataclass(frozen=True)
class Change:
    """What a change set will do to one resource.

    `action` is Add, Modify, Remove, Import or Dynamic; `replacement` is True, False,
    Conditional or empty; `properties` are the names of what is modified.
    """

    action: str
    logical_id: str
    type: str
    replacement: str = ""
    properties: tuple[str, ...] = ()

    def line(self) -> str:
        """Such as 'Modify ServiceFunction (AWS::Lambda::Function): Code, MemorySize'."""
        parts = f"{self.action:6} {self.logical_id} ({self.type})"
        if self.properties:
            parts += ": " + ", ".join(self.properties)
        if self.replacement == "True":
            parts += " [replaces it]"
        elif self.replacement == "Conditional":
            parts += " [may replace it]"
        return parts


@dataclass(frozen=True)
class ChangeSet:
    """A change set; `status` is CREATE_COMPLETE when it can be executed."""

    id: str
    stack_id: str
    status: str
    reason: str
    changes: tuple[Change, ...]

    @property
    def is_pending(self) -> bool:
        return self.status in ("CREATE_PENDING", "CREATE_IN_PROGRESS")

    @property
    def is_empty(self) -> bool:
        """AWS refuses a change set without changes, in one of two wordings."""
        return self.status == "FAILED" and (
            "didn't contain changes" in self.reason
            or "No updates are to be performed" in self.reason
        )


class ChangeSetType(StrEnum):
    """Whether a change set makes a stack or changes one."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"


_UPDATABLE = frozenset(
    [
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_FAILED",
        "UPDATE_ROLLBACK_COMPLETE",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
    ]
)
_DEAD_ENDS = frozenset(
    [
        "ROLLBACK_COMPLETE",
        "ROLLBACK_FAILED",
        "CREATE_FAILED",
        "DELETE_FAILED",
        "IMPORT_ROLLBACK_FAILED",
    ]
)


def change_set_type(stack: Stack | None, hints: Hints) -> ChangeSetType:
    """What kind of change set this stack takes now.

    A stack in REVIEW_IN_PROGRESS is what a change set that was never executed leaves: it
    has no resources and is created as if it were not there.

    Raises:
        StackError: it takes none; the message says how to get on.
    """
    if stack is None or stack.status in ("REVIEW_IN_PROGRESS", "DELETE_COMPLETE"):
        return ChangeSetType.CREATE
    if stack.status in _UPDATABLE:
        return ChangeSetType.UPDATE
    raise StackError(_refused(stack, hints))


def _refused(stack: Stack, hints: Hints) -> str:
    state = f"Stack {stack.name!r} is in {stack.status}"
    if stack.status in _DEAD_ENDS:
        return f"{state} and cannot be updated. Delete it with: {hints.delete}"
    if stack.status == "UPDATE_ROLLBACK_FAILED":
        step = hints.after_failed_rollback(stack.name)
        return f"{state} and cannot be updated: {stack.reason or 'its rollback failed'}. {step}"
    if stack.status.endswith("_IN_PROGRESS"):
        doing = (
            "it is being deleted" if "DELETE" in stack.status else "somebody else is changing it"
        )
        return (
            f"{state}: {doing}. Wait for the end ({hints.status} shows it) "
            "and run the same command again."
        )
    return f"{state}, which twofold does not know. Look at it in the CloudFormation console."


def plan_lines(stack: str, kind: ChangeSetType, changes: Iterable[Change]) -> tuple[str, ...]:
    """What will change, a line each, under a line that says how much."""
    changes = tuple(changes)
    counts = {
        action: sum(change.action == action for change in changes)
        for action in ("Add", "Modify", "Remove")
    }
    replaced = sum(change.replacement == "True" for change in changes)
    verb = "created" if kind is ChangeSetType.CREATE else "updated"
    head = (
        f"Stack {stack!r} will be {verb}: {counts['Add']} to add, {counts['Modify']} to "
        f"modify ({replaced} by replacement), {counts['Remove']} to remove."
    )
    return (head, *(f"  {change.line()}" for change in changes))
