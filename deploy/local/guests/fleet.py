"""EDGE: the instances of an Auto Scaling group, as guests.

It launches and terminates what the decisions in rolling.py say. An instance is lost when its
guest has ended, as for a group with EC2 health checks; whether the service in it answers is
not asked. A simulation: AWS's group needs minutes for what is done here in seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, TypeAlias

from deploy.errors import TwofoldError
from deploy.local.guests.metadata import Described
from deploy.local.guests.played import Member
from deploy.local.guests.rolling import (
    Done,
    Failed,
    Launch,
    Signal,
    Size,
    Standing,
    Step,
    Terminate,
    keep,
)

_LOOK_SECONDS = 0.5

Decide: TypeAlias = Callable[[tuple[Standing, ...], float], Step]
"""From the members and the clock to the next step."""


class Machine(Protocol):
    """What a fleet needs of a guest."""

    @property
    def described(self) -> Described: ...
    @property
    def is_running(self) -> bool: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...
    def discard(self) -> None: ...


@dataclass(frozen=True)
class Gone:
    """These instances have shut down."""

    instances: tuple[str, ...]


class FleetClosedError(Exception):
    """The fleet is being taken down; whoever waits for it shall wait no more."""


@dataclass
class _Seat:
    machine: Machine
    version: str
    since: float | None
    signal: Signal = ""
    state: str = "Pending"
    gone: bool = False

    @property
    def instance(self) -> str:
        return self.machine.described.instance

    def standing(self) -> Standing:
        runs = self.state == "Pending" or self.machine.is_running
        return Standing(self.instance, self.version, self.since, self.signal, runs)

    def member(self) -> Member:
        described = self.machine.described
        return Member(
            instance=described.instance,
            state=self.state,
            launch_template_version=self.version,
            private_address=described.private_address,
            public_address=described.public_address,
            zone=described.zone,
            type=described.type,
            image=described.image,
        )


class Fleet:
    """A context manager: at its end no instance runs.

    One thread settles and follows; any thread may ask for the members and bring signals.

    Args:
        launch: from a version of the launch template to a machine, not started yet.
        note: takes a sentence for the user.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        launch: Callable[[str], Machine],
        note: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._launch = launch
        self._note = note
        self._clock = clock
        self._seats: list[_Seat] = []
        self._ending: list[threading.Thread] = []
        self._changed = threading.Condition()
        self._closing = False

    def __enter__(self) -> Fleet:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
        with self._changed:
            running = [seat for seat in self._seats if seat.state != "Terminating"]
        for seat in running:
            self._end(seat, seat.machine.kill)
        for thread in self._ending:
            thread.join()

    def close(self) -> None:
        """Whoever waits in `settle` or `pause` gets FleetClosedError, at once and from now on."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    # For any thread

    def members(self) -> tuple[Member, ...]:
        """Every instance, also one that is on its way out."""
        with self._changed:
            return tuple(seat.member() for seat in self._seats if not seat.gone)

    def awaits(self, instance: str) -> bool:
        """Whether it is a member that has not signalled yet."""
        with self._changed:
            return any(seat.instance == instance and not seat.signal for seat in self._seats)

    def signalled(self, instance: str, signal: Signal) -> None:
        """The member has signalled this."""
        with self._changed:
            for seat in self._seats:
                if seat.instance == instance:
                    seat.signal = signal
            self._changed.notify_all()

    def wake(self) -> None:
        """Whoever waits in `pause` goes on."""
        with self._changed:
            self._changed.notify_all()

    # For the one thread

    def settle(self, decide: Decide, version: str) -> Iterator[Step | Gone]:
        """What `decide` says is done, until it says Done or Failed, which comes last.

        New instances are of this version of the launch template, and their signal is
        waited for.

        Raises:
            FleetClosedError: the fleet is being taken down.
            TwofoldError: an instance cannot be launched.
        """
        while True:
            if gone := self._gone():
                yield Gone(gone)
            step = decide(self.standings(), self._clock())
            if isinstance(step, Failed) or (isinstance(step, Done) and not self._leaving()):
                yield step
                return
            if isinstance(step, Launch | Terminate):
                self._take(step, version, self._clock())
                yield step
            else:
                self.pause(_LOOK_SECONDS)

    def follow(self, size: Size, version: str) -> None:
        """The next step towards the group's size is done; nobody waits for a signal.

        Raises:
            TwofoldError: an instance cannot be launched.
        """
        self._gone()
        step = keep(size, version, self.standings())
        if isinstance(step, Terminate):
            self._tell_lost(step.instances)
        if not isinstance(step, Done):
            self._take(step, version, None)

    def renumber(self, version: str, now: str) -> None:
        """What was launched from `version` counts as launched from the equal version `now`."""
        with self._changed:
            for seat in self._seats:
                if seat.version == version:
                    seat.version = now

    def pause(self, seconds: float) -> None:
        """So much time has passed, or something has happened.

        Raises:
            FleetClosedError: the fleet is being taken down.
        """
        with self._changed:
            if not self._closing:
                self._changed.wait(seconds)
            if self._closing:
                raise FleetClosedError

    def standings(self) -> tuple[Standing, ...]:
        """Every instance that is not on its way out, in the order of their launches."""
        with self._changed:
            return tuple(seat.standing() for seat in self._seats if seat.state != "Terminating")

    def _take(self, step: Launch | Terminate, version: str, since: float | None) -> None:
        if isinstance(step, Launch):
            for _ in range(step.count):
                self._start(version, since)
        else:
            self._terminate(step.instances)

    def _start(self, version: str, since: float | None) -> None:
        machine = self._launch(version)
        seat = _Seat(machine, version, since)
        with self._changed:
            if self._closing:
                raise FleetClosedError
            self._seats.append(seat)
        try:
            machine.start()
        except BaseException:
            with self._changed:
                self._seats.remove(seat)
            raise
        with self._changed:
            seat.state = "InService"

    def _terminate(self, instances: Collection[str]) -> None:
        with self._changed:
            leaving = [seat for seat in self._seats if seat.instance in instances]
        for seat in leaving:
            self._end(seat, seat.machine.stop)

    def _end(self, seat: _Seat, how: Callable[[], None]) -> None:
        """In a thread of its own: a clean shutdown takes seconds."""
        with self._changed:
            seat.state = "Terminating"
        thread = threading.Thread(target=self._ended, args=(seat, how), daemon=True)
        self._ending.append(thread)
        thread.start()

    def _ended(self, seat: _Seat, how: Callable[[], None]) -> None:
        try:
            how()
            seat.machine.discard()
        except TwofoldError as error:
            self._note(f"Instance {seat.instance} did not shut down cleanly: {error}")
        finally:
            with self._changed:
                seat.gone = True
                self._changed.notify_all()

    def _gone(self) -> tuple[str, ...]:
        """Those that have shut down since this was asked last; they are forgotten."""
        with self._changed:
            gone = tuple(seat.instance for seat in self._seats if seat.gone)
            self._seats = [seat for seat in self._seats if not seat.gone]
        self._ending = [thread for thread in self._ending if thread.is_alive()]
        return gone

    def _leaving(self) -> bool:
        with self._changed:
            return any(seat.state == "Terminating" for seat in self._seats)

    def _tell_lost(self, instances: Sequence[str]) -> None:
        with self._changed:
            running = {seat.instance for seat in self._seats if seat.machine.is_running}
        for instance in instances:
            if instance not in running:
                self._note(f"Instance {instance} has ended by itself; the group replaces it.")
