"""A stack as it is shown: what the embedded AWS says of it, corrected by what is played."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from deploy import logical_id
from deploy.local.guests.phase import Phase, is_premature, shown_status
from deploy.stack import STACK_TYPE, StackEvent

GROUP_TYPE = "AWS::AutoScaling::AutoScalingGroup"


@dataclass
class PlayedStack:
    """May be asked and told by any thread.

    Args:
        note: takes a sentence for the user, about an update; a creation is followed by whoever
            provisions.
    """

    note: Callable[[str], None]
    _id: str = ""
    _name: str = ""
    _group: str = ""
    _begun: int = 0
    _events: list[StackEvent] = field(default_factory=list)
    # Since when each phase lasts, the newest last: an old event is judged by its own phase.
    _phases: list[tuple[datetime, Phase]] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def phase(self) -> Phase:
        with self._lock:
            return self._phases[-1][1] if self._phases else Phase.IDLE

    @property
    def events(self) -> tuple[StackEvent, ...]:
        """What was played, the oldest first."""
        with self._lock:
            return tuple(self._events)

    def begin(self, stack_id: str, name: str, phase: Phase) -> int:
        """A change of the stack is played from now on; what was of another stack is forgotten.

        Gives the change's number.
        """
        with self._lock:
            if stack_id != self._id:
                self._events.clear()
                self._phases.clear()
                self._group = ""
            self._id, self._name = stack_id, name
            self._begun += 1
            self.enter(phase)
            return self._begun

    def is_group(self, group: str) -> None:
        """The physical ID of the stack's Auto Scaling group."""
        with self._lock:
            self._group = group

    @property
    def group(self) -> str:
        with self._lock:
            return self._group

    def enter(self, phase: Phase) -> None:
        """Another phase begins."""
        with self._lock:
            self._phases.append((_now(), phase))

    def give_up(self, number: int) -> None:
        """Of this change nothing is played; the next one, which may have begun, goes on."""
        with self._lock:
            if number == self._begun:
                self.enter(Phase.IDLE)

    def withdraw(self, number: int) -> None:
        """The same; what the embedded AWS says is shown, also what was not."""
        with self._lock:
            if number == self._begun:
                self._phases.clear()

    def shown(self, status: str) -> str:
        """The stack's status on AWS, given the embedded AWS's."""
        return shown_status(self.phase, status)

    def is_premature(self, event: StackEvent) -> bool:
        """Whether an event of the embedded AWS is not shown."""
        with self._lock:
            then = [phase for since, phase in self._phases if since <= event.time]
        return bool(then) and is_premature(then[-1], event)

    def tell_fleet(self, reason: str, status: str = "") -> None:
        """CloudFormation says this of the group; it is in progress unless a status says more."""
        with self._lock:
            status = status or self.phase.fleet_status
            self._tell(logical_id.FLEET, self._group, GROUP_TYPE, status, reason)

    def tell_stack(self, status: str, reason: str = "") -> None:
        """CloudFormation says this of the stack itself."""
        with self._lock:
            self._tell(self._name, self._id, STACK_TYPE, status, reason)

    def _tell(self, name: str, physical: str, kind: str, status: str, reason: str) -> None:
        number = f"{name}-{status}-{uuid.uuid4()}"
        self._events.append(StackEvent(number, _now(), name, physical, kind, status, reason))
        if self.phase not in (Phase.CREATING, Phase.UNDOING_CREATION):
            self.note(f"Simulated: {name} {status}" + (f": {reason}" if reason else ""))


def _now() -> datetime:
    """To the millisecond, as the embedded AWS dates its events."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
