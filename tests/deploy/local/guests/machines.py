"""Machines that stand for guests in the tests of fleets: they run in name only."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from deploy.errors import LocalError
from deploy.local.guests.metadata import Described

PATIENCE = 120.0


def described(number: int) -> Described:
    return Described(
        instance=f"i-{number:017x}",
        image="ami-0abc",
        type="t3.micro",
        architecture="x86_64",
        region="eu-central-1",
        zone="eu-central-1a",
        account="000000000000",
        private_address="10.0.7.100",
        public_address=f"127.77.0.{number}",
        role="role",
        user_data=b"",
        tokens_required=True,
        key="key",
        secret="secret",
        session="session",
    )


@dataclass
class Machine:
    """Runs from start to stop; `boots` is what it does when it has started, in a thread."""

    described: Described
    version: str
    boots: Callable[[Machine], None] = lambda _machine: None
    is_running: bool = False
    booting: list[threading.Thread] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    discarded: bool = False
    may_stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.may_stop.set()

    @property
    def instance(self) -> str:
        return self.described.instance

    def start(self) -> None:
        thread = threading.Thread(target=self.boots, args=(self,), daemon=True)
        thread.start()
        self.booting.append(thread)
        self.is_running = True

    def stop(self) -> None:
        self.ends.append("stop")
        assert self.may_stop.wait(PATIENCE)
        self.is_running = False

    def kill(self) -> None:
        self.ends.append("kill")
        self.is_running = False

    def discard(self) -> None:
        assert not self.is_running
        self.discarded = True


@dataclass
class Factory:
    """Launches machines; those of a version in `broken` cannot be had.

    `asked` are the versions that were wanted.
    """

    boots: Callable[[Machine], None] = lambda _machine: None
    broken: set[str] = field(default_factory=set)
    made: list[Machine] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    numbers: Callable[[], int] = itertools.count(1).__next__

    def __call__(self, version: str) -> Machine:
        self.asked.append(version)
        if version in self.broken:
            raise LocalError(f"Version {version} cannot be launched.")
        machine = Machine(described(self.numbers()), version, self.boots)
        self.made.append(machine)
        return machine

    def join(self) -> None:
        """No machine is still booting."""
        for machine in self.made:
            for thread in machine.booting:
                thread.join(PATIENCE)

    @property
    def running(self) -> list[str]:
        return [machine.instance for machine in self.made if machine.is_running]


def eventually(condition: Callable[[], object]) -> None:
    """It comes true, if late."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"still not so after {PATIENCE} s"
        time.sleep(0.02)
