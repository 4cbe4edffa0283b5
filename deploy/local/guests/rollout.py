"""EDGE: the policies of a group carried out on its fleet, and told as CloudFormation tells it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from deploy.aws.running import FleetState
from deploy.local.guests import announcements
from deploy.local.guests.fleet import Decide, Fleet, Gone
from deploy.local.guests.played_stack import PlayedStack
from deploy.local.guests.policies import UpdatePolicy, creation_policy, update_policy
from deploy.local.guests.rolling import (
    Failed,
    Launch,
    Size,
    Standing,
    Step,
    Terminate,
    Update,
    create,
    keep,
)


@dataclass(frozen=True)
class Rollout:
    """What is done to a fleet in one change of its stack.

    Args:
        fleet: the instances.
        stack: where it is told.
        check: called again and again; raises when there is no point in going on.
    """

    fleet: Fleet
    stack: PlayedStack
    check: Callable[[], None]

    def create(self, group: FleetState, resource: Mapping[str, Any]) -> Failed | None:
        """The new group's instances are up, or why they are not.

        Args:
            group: as Auto Scaling describes it.
            resource: the same group as the template has it.

        Raises:
            TwofoldError: an instance cannot be launched, or a policy cannot be played.
        """
        policy = creation_policy(resource)
        self.stack.tell_fleet(announcements.SIMULATED)
        if policy:
            self.stack.tell_fleet(announcements.creation(policy))
        decide = partial(create, policy, Size(group.desired, group.maximum))
        return _end(self.fleet.settle(self._checked(decide), group.launch_template_version))

    def update(self, group: FleetState, resource: Mapping[str, Any]) -> Failed | None:
        """Every instance is of the group's launch template, or why not; the arguments and
        errors of `create`."""
        policy, version = update_policy(resource), group.launch_template_version
        if policy is None:
            return None
        size = Size(group.desired, group.maximum)
        update = Update(policy, size, version, self.fleet.standings())
        if not update.obsolete:
            return None
        self._announce(update)
        decide = partial(_rolled, policy, size, version)
        steps = self.fleet.settle(self._checked(decide), version)
        return _end(self._told(steps, policy, len(update.obsolete)))

    def remove(self) -> None:
        """No instance is left."""
        _end(self.fleet.settle(_emptied, ""))

    def _checked(self, decide: Decide) -> Decide:
        def checked(members: tuple[Standing, ...], now: float) -> Step:
            self.check()
            return decide(members, now)

        return checked

    def _announce(self, update: Update) -> None:
        self.stack.tell_fleet(announcements.SIMULATED)
        self.stack.tell_fleet(announcements.initiated(update))
        if update.temporary_size > update.size.desired:
            self.stack.tell_fleet(announcements.resized(update.temporary_size))

    def _told(
        self, steps: Iterable[Step | Gone], policy: UpdatePolicy, obsolete: int
    ) -> Iterable[Step | Gone]:
        gone = 0
        for step in steps:
            if isinstance(step, Launch):
                self.stack.tell_fleet(announcements.added(policy, step.count))
            elif isinstance(step, Terminate):
                text = announcements.terminating(step.instances, step.replacements)
                self.stack.tell_fleet(text)
            elif isinstance(step, Gone):
                gone += len(step.instances)
                self.stack.tell_fleet(announcements.terminated(step.instances, gone, obsolete))
            elif isinstance(step, Failed) and step.silent:
                self.stack.tell_fleet(announcements.silent(step.silent))
            yield step


def _rolled(
    policy: UpdatePolicy, size: Size, version: str, members: tuple[Standing, ...], now: float
) -> Step:
    return Update(policy, size, version, members).step(now)


def _emptied(members: tuple[Standing, ...], _now: float) -> Step:
    return keep(Size(0, 0), "", members)


def _end(steps: Iterable[Step | Gone]) -> Failed | None:
    *_, last = steps
    return last if isinstance(last, Failed) else None
