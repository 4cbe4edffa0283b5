"""EDGE: what this machine plays of AWS for one stack, in a thread: its changes and its fleet.

A simulation, of which `change` says what it leaves out.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType

from deploy import logical_id
from deploy.aws import Aws
from deploy.errors import TwofoldError
from deploy.local.guests import announcements
from deploy.local.guests.change import RHYTHM, Before, Change, Place, Rhythm, before, group_of
from deploy.local.guests.fleet import Fleet, FleetClosedError
from deploy.local.guests.phase import Phase
from deploy.local.guests.played import Member
from deploy.local.guests.played_stack import PlayedStack
from deploy.local.guests.rolling import Signal, Size
from deploy.stack import StackEvent
from deploy.stack.progress import Goal

_SIGNALS: Mapping[str, Signal] = {"SUCCESS": "SUCCESS", "FAILURE": "FAILURE"}


class Changes:
    """A context manager: while it is open, the changes of one stack are played, in a thread.

    Implements `Played` for the gateway.

    Args:
        aws: the embedded AWS itself, not the gateway before it.
        stack: the name of the stack.
        bucket: where a template goes that is too long for a request.
        fleet: the instances of its group.
        note: takes a sentence for the user.
        rhythm: how long it waits for what.
    """

    def __init__(
        self,
        aws: Aws,
        stack: str,
        bucket: str,
        fleet: Fleet,
        note: Callable[[str], None],
        *,
        rhythm: Rhythm = RHYTHM,
    ) -> None:
        self._aws = aws
        self._name = stack
        self._bucket = bucket
        self._fleet = fleet
        self._note = note
        self._rhythm = rhythm
        self._stack = PlayedStack(note)
        self._requested: deque[tuple[Before, int]] = deque()
        self._signalling = threading.Lock()
        self._problem = ""
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Changes:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._fleet.close()
        self._thread.join()

    # Played, for the gateway's threads

    def members(self, group: str) -> Sequence[Member]:
        """The instances of the stack's group; none of another's."""
        return self._fleet.members() if group == self._stack.group else ()

    def signalled(self, stack: str, logical_id: str, instance: str, status: str) -> str:
        """An instance's first signal counts, while its group is waited for."""
        refusal = self._refusal(stack, logical_id)
        if refusal:
            return refusal
        with self._signalling:
            if self._fleet.awaits(instance):
                # Told first: whoever waits for it tells what comes of it.
                self._stack.tell_fleet(announcements.received(instance, _SIGNALS[status]))
                self._fleet.signalled(instance, _SIGNALS[status])
        return ""

    def shown_stack_status(self, stack: str, status: str) -> str:
        """In progress until the instances are what the stack says."""
        return self._stack.shown(status) if stack == self._name else status

    def more_events(self, stack: str) -> Sequence[StackEvent]:
        """What was played."""
        return self._stack.events if stack == self._name else ()

    def held_back(self, stack: str, event: StackEvent) -> bool:
        """The embedded AWS's word that it is done, while the instances are not."""
        return stack == self._name and self._stack.is_premature(event)

    def executed(self, stack: str, change_set: str) -> None:  # noqa: ARG002  one at a time
        """From now on the stack is shown as being changed."""
        if stack != self._name or (found := self._aws.stack(stack)) is None:
            return
        there = before(self._aws, found)
        phase = Phase.CREATING if there.goal is Goal.CREATE else Phase.UPDATING
        self._requested.append((there, self._stack.begin(found.id, found.name, phase)))
        self._fleet.wake()

    def _refusal(self, stack: str, resource: str) -> str:
        if stack != self._name or resource != logical_id.FLEET:
            return f"Resource {resource} of stack {stack} is not waiting for a signal"
        if self._stack.phase.takes_signals:
            return ""
        found = self._aws.stack(stack)
        if found is None:
            return f"Stack '{stack}' does not exist"
        shown = self._stack.shown(found.status)
        return f"Stack {found.id} is in {shown} state and cannot be signaled"

    # The thread

    def _run(self) -> None:
        with suppress(FleetClosedError):
            while True:
                try:
                    self._turn()
                except TwofoldError as error:
                    self._tell_problem(str(error))
                self._rest()

    def _turn(self) -> None:
        while self._requested:
            self._play(*self._requested.popleft())
        self._follow()
        self._problem = ""

    def _play(self, there: Before, number: int) -> None:
        try:
            place = Place(self._aws, self._bucket, self._fleet, self._stack, self._rhythm)
            Change(place, there, number).play()
        except TwofoldError:
            self._stack.withdraw(number)
            raise

    def _rest(self) -> None:
        until = time.monotonic() + self._rhythm.follow
        while not self._requested and time.monotonic() < until:
            self._fleet.pause(self._rhythm.look)

    def _tell_problem(self, text: str) -> None:
        if text != self._problem:
            self._note(f"The fleet cannot be played: {text}")
        self._problem = text

    def _follow(self) -> None:
        """As many instances as the group wants; none once the group is gone."""
        found = self._aws.stack(self._name)
        group = group_of(self._aws, found.id) if found else None
        if self._requested:
            return  # what the group says now may be that change already
        size = Size(group.desired, group.maximum) if group else Size(0, 0)
        self._fleet.follow(size, group.launch_template_version if group else "")
