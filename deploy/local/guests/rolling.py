"""What happens next to the instances of a group: the decisions, without the doing. Pure.

CloudFormation Template Reference, "UpdatePolicy attribute" and "CreationPolicy attribute",
says what the policies promise; the order of the steps and the size of the batches are those
that stacks on AWS show in their events. Asked again after each step, from what is there then,
so a decision remembers nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from deploy.local.guests.policies import CreationPolicy, UpdatePolicy

Signal = Literal["", "SUCCESS", "FAILURE"]


@dataclass(frozen=True)
class Size:
    """How many instances a group shall have, and how many it may have while it changes."""

    desired: int
    maximum: int


@dataclass(frozen=True)
class Standing:
    """One instance that the group counts.

    Attributes:
        instance: its ID.
        version: what it was launched from; any text that is the same for the same thing.
        since: since when, on the clock, its signal is waited for; None when nobody waits.
        signal: what it has signalled.
        runs: False when it has ended by itself.
    """

    instance: str
    version: str
    since: float | None = None
    signal: Signal = ""
    runs: bool = True


@dataclass(frozen=True)
class Launch:
    """So many new instances."""

    count: int


@dataclass(frozen=True)
class Terminate:
    """These instances go; so many new ones come for them."""

    instances: tuple[str, ...]
    replacements: int


@dataclass(frozen=True)
class Wait:
    """Nothing to do until this time on the clock, or until a signal comes."""

    until: float


@dataclass(frozen=True)
class Done:
    """The group is as it should be."""


@dataclass(frozen=True)
class Failed:
    """It cannot become what it should; `silent` instances gave no signal in time."""

    reason: str
    silent: int = 0


Step = Launch | Terminate | Wait | Done | Failed


def keep(size: Size, version: str, members: Sequence[Standing]) -> Launch | Terminate | Done:
    """The group keeps its size: what is lost is replaced, what is too much goes.

    What goes first is what was launched from another version, then what is oldest;
    `members` are in the order in which they were launched.
    """
    lost = tuple(one.instance for one in members if not one.runs)
    if lost:
        return Terminate(lost, max(0, size.desired - len(members) + len(lost)))
    surplus = len(members) - size.desired
    if surplus > 0:
        leaving = sorted(members, key=lambda one: one.version == version)[:surplus]
        return Terminate(tuple(one.instance for one in leaving), 0)
    return Launch(-surplus) if surplus < 0 else Done()


def create(
    policy: CreationPolicy | None, size: Size, members: Sequence[Standing], now: float
) -> Step:
    """A new group comes up, and is waited for as its creation policy says."""
    if len(members) < size.desired:
        return Launch(size.desired - len(members))
    if policy is None:
        return Done()
    tally = _tally(members, policy.timeout, now)
    required = _required(policy.count, policy.percent)
    if tally.successes >= policy.count:
        return Done()
    if tally.failures > policy.count - required:
        return _failed(tally, policy.count, policy.percent)
    if tally.waiting:
        return Wait(min(tally.waiting) + policy.timeout)
    done = tally.successes >= required
    return Done() if done else _failed(tally, policy.count, policy.percent)


@dataclass(frozen=True)
class Update:
    """A rolling update as it stands: instances of other versions are replaced, batch by batch.

    A batch of new ones is launched beside the old ones as far as the group's maximum size
    leaves room for it, else old ones go first; the next batch waits until every new one
    has signalled. An instance that has ended counts as one that failed.
    """

    policy: UpdatePolicy
    size: Size
    version: str
    members: tuple[Standing, ...]

    @property
    def obsolete(self) -> tuple[Standing, ...]:
        """What shall go."""
        return tuple(one for one in self.members if one.version != self.version)

    @property
    def batch(self) -> int:
        """How many go at once."""
        room = self.size.maximum - self.policy.in_service
        return min(self.policy.batch, len(self.obsolete), room)

    @property
    def temporary_size(self) -> int:
        """How many instances the group has while it is being updated."""
        return max(self.size.desired, self.policy.in_service + self.batch)

    def step(self, now: float) -> Step:
        """What to do at this time on the clock."""
        if self.obsolete and self.policy.in_service >= self.size.maximum:
            return Failed("MinInstancesInService must be less than the autoscaling group's MaxSize")
        return self._pending(now) or self._move()

    def _pending(self, now: float) -> Failed | Wait | None:
        """None once it is clear of every new instance that it succeeded, or may have failed."""
        awaited = [
            one for one in self.members if one.version == self.version and one.since is not None
        ]
        new = sum(one.version == self.version for one in self.members)
        expected = max(self.size.desired - (new - len(awaited)), len(awaited))
        tally = _tally(awaited, self.policy.pause, now, signals=self.policy.signals)
        if tally.failures > expected - _required(expected, self.policy.percent):
            return _failed(tally, expected, self.policy.percent)
        return Wait(min(tally.waiting) + self.policy.pause) if tally.waiting else None

    def _move(self) -> Launch | Terminate | Done:
        lost = [one for one in self.obsolete if not one.runs]
        if lost:
            return self._replacing(lost)
        if self._room:
            return Launch(self._room)
        if not self.obsolete:
            return Done()
        return self._replacing(self.obsolete[: self.batch])

    def _replacing(self, leaving: Sequence[Standing]) -> Terminate:
        staying = tuple(one for one in self.members if one not in leaving)
        after = replace(self, members=staying)
        return Terminate(tuple(one.instance for one in leaving), after._room)

    @property
    def _room(self) -> int:
        """How many new ones may be launched now."""
        return max(0, self.temporary_size - len(self.members))


@dataclass(frozen=True)
class _Tally:
    """Of those waited for: who succeeded, who said that it failed, who said nothing in time;
    and since when the others are waited for."""

    successes: int
    failed: int
    silent: int
    waiting: tuple[float, ...]

    @property
    def failures(self) -> int:
        return self.failed + self.silent


def _tally(
    members: Sequence[Standing], timeout: float, now: float, *, signals: bool = True
) -> _Tally:
    quiet = [one for one in members if not one.signal and one.since is not None]
    waiting = [one for one in quiet if one.runs and _deadline(one, timeout) > now]
    late = len(quiet) - len(waiting)
    return _Tally(
        successes=sum(one.signal == "SUCCESS" for one in members),
        failed=sum(one.signal == "FAILURE" for one in members),
        silent=late if signals else 0,
        waiting=tuple(one.since for one in waiting if one.since is not None),
    )


def _deadline(one: Standing, timeout: float) -> float:
    return math.inf if one.since is None else one.since + timeout


def _required(expected: int, percent: int) -> int:
    """Template Reference, "UpdatePolicy attribute": 50 percent of five instances are three."""
    return math.ceil(expected * percent / 100)


def _failed(tally: _Tally, expected: int, percent: int) -> Failed:
    """In CloudFormation's words; instances that said nothing are no FAILURE signals."""
    count, word = (tally.successes, "SUCCESS") if tally.silent else (tally.failed, "FAILURE")
    return Failed(
        f"Received {count} {word} signal(s) out of {expected}.  Unable to satisfy {percent}% "
        "MinSuccessfulInstancesPercent requirement",
        tally.silent,
    )
