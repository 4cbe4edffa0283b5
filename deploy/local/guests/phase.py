"""Where a stack is while this machine plays what the embedded AWS has left out. Pure.

The embedded AWS is done with a group at once; CloudFormation is not before its instances are.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType

from deploy import logical_id
from deploy.stack import STACK_TYPE, StackEvent


class Phase(Enum):
    """What is being played, or what was played last."""

    IDLE = auto()
    CREATING = auto()
    UNDOING_CREATION = auto()
    UPDATING = auto()
    ROLLING_BACK = auto()
    ROLLED_BACK = auto()
    ROLLBACK_FAILED = auto()

    @property
    def takes_signals(self) -> bool:
        """Whether somebody waits for the instances."""
        return self in (Phase.CREATING, Phase.UPDATING, Phase.ROLLING_BACK)

    @property
    def fleet_status(self) -> str:
        """The group's status while it is being played."""
        creating = self in (Phase.CREATING, Phase.UNDOING_CREATION)
        return "CREATE_IN_PROGRESS" if creating else "UPDATE_IN_PROGRESS"


_CLEANING_UP = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
_UPDATED = ("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", _CLEANING_UP)
_SHOWN: Mapping[Phase, Mapping[str, str]] = MappingProxyType(
    {
        Phase.IDLE: {},
        Phase.CREATING: {"CREATE_COMPLETE": "CREATE_IN_PROGRESS"},
        Phase.UNDOING_CREATION: {"CREATE_COMPLETE": "ROLLBACK_IN_PROGRESS"},
        Phase.UPDATING: dict.fromkeys(_UPDATED, "UPDATE_IN_PROGRESS"),
        Phase.ROLLING_BACK: dict.fromkeys(_UPDATED, "UPDATE_ROLLBACK_IN_PROGRESS"),
        Phase.ROLLED_BACK: {"UPDATE_COMPLETE": "UPDATE_ROLLBACK_COMPLETE"},
        Phase.ROLLBACK_FAILED: {"UPDATE_COMPLETE": "UPDATE_ROLLBACK_FAILED"},
    }
)


def shown_status(phase: Phase, status: str) -> str:
    """The stack's status on AWS, given what the embedded AWS says it is."""
    return _SHOWN[phase].get(status, status)


def is_premature(phase: Phase, event: StackEvent) -> bool:
    """Whether CloudFormation would not have said this yet; it is said when it is true."""
    own = event.type == STACK_TYPE
    if phase is Phase.ROLLING_BACK and own:
        return event.status in _UPDATED
    done = event.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", _CLEANING_UP)
    return done and (own or event.logical_id == logical_id.FLEET) and phase.takes_signals
