"""EDGE: one change of a stack, played to its end: what CloudFormation does after the embedded AWS.

A simulation. The embedded AWS makes and changes the resources, at once and without looking at
a policy. From there on this is what CloudFormation does with the instances of the Auto Scaling
group: it waits for the signals of new ones, replaces those of an older launch template, and
takes everything back when that fails. The words of the events are CloudFormation's; its
timing, its limits and its faults are not played. A creation that fails is always deleted,
which is what `twofold provision` asks for.
"""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from deploy import logical_id
from deploy.aws import Aws
from deploy.aws.running import FleetState
from deploy.errors import TwofoldError
from deploy.local.guests.fleet import Fleet
from deploy.local.guests.phase import Phase
from deploy.local.guests.played_stack import PlayedStack
from deploy.local.guests.rolling import Failed
from deploy.local.guests.rollout import Rollout
from deploy.stack import ChangeSetType, Stack
from deploy.stack.plan import INLINE_LIMIT
from deploy.stack.progress import Goal, Progress, observe


@dataclass(frozen=True)
class Rhythm:
    """How many seconds it waits for what.

    Attributes:
        look: before the embedded AWS is looked at again while it works.
        follow: before it is looked at again while nothing happens.
        begin: for a change that was asked for to begin; it may have been refused.
        linger: before the resources of a failed creation go. On AWS it takes a minute until
            its instances are gone, and their log group with their last words after them.
    """

    look: float = 0.1
    follow: float = 2.0
    begin: float = 60.0
    linger: float = 5.0  # longer than the tool's longest pause between two looks


RHYTHM = Rhythm()


@dataclass(frozen=True)
class Before:
    """A stack as it is when a change of it is about to begin.

    `seen` is its newest event; `template` and `fleet` are there for an update only.
    """

    stack: Stack
    goal: Goal
    seen: str
    template: str = ""
    fleet: FleetState | None = None


def before(aws: Aws, stack: Stack) -> Before:
    """What a change of this stack will find, and would go back to."""
    seen = aws.last_event(stack.id)
    if stack.status == "REVIEW_IN_PROGRESS":
        return Before(stack, Goal.CREATE, seen)
    return Before(stack, Goal.UPDATE, seen, aws.template(stack.id), group_of(aws, stack.id))


def group_of(aws: Aws, stack_id: str) -> FleetState | None:
    """The stack's Auto Scaling group, if it has one."""
    for resource in aws.resources(stack_id):
        if resource.logical_id == logical_id.FLEET and resource.physical_id:
            return aws.group(resource.physical_id)
    return None


@dataclass(frozen=True)
class Place:
    """Where changes are played.

    Attributes:
        aws: the embedded AWS itself, not the gateway before it.
        bucket: where a template goes that is too long for a request.
        fleet: the instances of the stack's group.
        played: where it is told.
        rhythm: how long it waits for what.
    """

    aws: Aws
    bucket: str
    fleet: Fleet
    played: PlayedStack
    rhythm: Rhythm


class Change:
    """A change that the embedded AWS has been asked for, or is about to be."""

    def __init__(self, place: Place, there: Before, number: int) -> None:
        self._place = place
        self._aws = place.aws
        self._fleet = place.fleet
        self._played = place.played
        self._rhythm = place.rhythm
        self._before = there
        self._number = number
        self._id = there.stack.id
        self._rollout = Rollout(place.fleet, place.played, self._check)
        self._checked = 0.0

    def play(self) -> None:
        """The stack and its instances are where the change leads, or where they came from.

        Raises:
            TwofoldError: the embedded AWS does not answer as it should.
            FleetClosedError: everything is being taken down.
        """
        if not self._deployed(self._before.seen):
            self._played.give_up(self._number)  # what went wrong, the embedded AWS says itself
            return
        try:
            failed = self._settled()
        except _DeletedError:
            self._played.give_up(self._number)
            return
        except TwofoldError as error:
            failed = Failed(str(error))
        self._finish(failed)

    def _finish(self, failed: Failed | None) -> None:
        goal = self._before.goal
        if failed is None:
            self._complete(goal.value, goal.value, Phase.IDLE)
        elif goal is Goal.CREATE:
            self._undo_creation(failed)
        else:
            self._roll_back(failed)

    def _complete(self, fleet: str, stack: str, phase: Phase) -> None:
        if self._played.group:
            self._played.tell_fleet("", fleet)
        self._played.tell_stack(stack)
        self._played.enter(phase)

    def _deployed(self, seen: str) -> bool:
        """Whether the embedded AWS has done its part; False also if it never began."""
        start = time.monotonic()
        stack, goal = self._before.stack, self._before.goal
        progress = Progress(stack.name, goal, frozenset(), start, seen=seen)
        while not progress.ended:
            found = self._aws.stack(self._id)
            if found is None:
                return False  # a creation that failed is gone with all that is told of it
            events = self._aws.events(self._id, progress.seen)
            progress, _ = observe(progress, found, events, time.monotonic())
            if not progress.events and time.monotonic() - start > self._rhythm.begin:
                return False
            self._fleet.pause(self._rhythm.look)
        return progress.succeeded

    def _settled(self) -> Failed | None:
        """The group's instances are what its policies want, or why they cannot be."""
        group = group_of(self._aws, self._id)
        if group is None:
            return None
        self._played.is_group(group.name)
        resource = _resource(self._aws.template(self._id))
        if self._before.goal is Goal.CREATE:
            return self._rollout.create(group, resource)
        return self._rollout.update(self._with_kept_size(group, resource), resource)

    def _check(self) -> None:
        """Somebody may delete the stack meanwhile; looked for now and then."""
        if time.monotonic() < self._checked + self._rhythm.follow:
            return
        self._checked = time.monotonic()
        stack = self._aws.stack(self._id)
        if stack is None or stack.status.startswith("DELETE"):
            raise _DeletedError

    def _with_kept_size(self, group: FleetState, resource: Mapping[str, Any]) -> FleetState:
        """Without DesiredCapacity an update leaves what scaling has made of it, within the
        new limits; the embedded AWS sets it to MinSize."""
        before = self._before.fleet
        if before is None or "DesiredCapacity" in resource.get("Properties", {}):
            return group
        desired = min(max(before.desired, group.minimum), group.maximum)
        if desired != group.desired:
            self._aws.set_desired_capacity(group.name, desired)
        return replace(group, desired=desired)

    # What fails

    def _undo_creation(self, failed: Failed) -> None:
        start = time.monotonic()
        self._played.tell_fleet(failed.reason, "CREATE_FAILED")
        self._played.enter(Phase.UNDOING_CREATION)
        self._played.tell_stack(
            "ROLLBACK_IN_PROGRESS",
            f"The following resource(s) failed to create: [{logical_id.FLEET}]. "
            "Rollback requested by user.",
        )
        self._rollout.remove()
        while time.monotonic() < start + self._rhythm.linger:
            self._fleet.pause(self._rhythm.look)
        self._aws.delete_stack(self._id)

    def _roll_back(self, failed: Failed) -> None:
        self._played.tell_fleet(failed.reason, "UPDATE_FAILED")
        self._played.enter(Phase.ROLLING_BACK)
        reason = f"The following resource(s) failed to update: [{logical_id.FLEET}]."
        self._played.tell_stack("UPDATE_ROLLBACK_IN_PROGRESS", reason)
        try:
            again = self._put_back()
        except TwofoldError as error:
            again = Failed(str(error))
        if again is None:
            self._complete("UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", Phase.ROLLED_BACK)
        else:
            self._played.tell_fleet(again.reason, "UPDATE_FAILED")
            self._played.tell_stack("UPDATE_ROLLBACK_FAILED", reason)
            self._played.enter(Phase.ROLLBACK_FAILED)

    def _put_back(self) -> Failed | None:
        """The former template is the stack's, and its instances are back, or why not.

        The embedded AWS makes a new version of the launch template for the former content.
        """
        seen, source = self._aws.last_event(self._id), self._source(self._before.template)
        name = f"rollback-{uuid.uuid4().hex[:8]}"
        arn = self._aws.create_change_set(self._id, name, ChangeSetType.UPDATE, source)
        while self._aws.change_set(arn, self._id).is_pending:
            self._fleet.pause(self._rhythm.look)
        self._aws.execute_change_set(arn, self._id)
        if not self._deployed(seen):
            return Failed("The embedded AWS did not take the former template back.")
        group, before = group_of(self._aws, self._id), self._before.fleet
        if group is None or before is None:
            return None
        self._fleet.renumber(before.launch_template_version, group.launch_template_version)
        resource = _resource(self._before.template)
        return self._rollout.update(self._with_kept_size(group, resource), resource)

    def _source(self, template: str) -> str:
        content = template.encode()
        if len(content) <= INLINE_LIMIT:
            return template
        digest = hashlib.sha256(content).hexdigest()
        key = f"{self._before.stack.name}/templates/{digest}.json"
        self._aws.upload(self._place.bucket, key, content, digest)
        return self._aws.object_url(self._place.bucket, key)


class _DeletedError(Exception):
    """The stack is being deleted while it is played."""


def _resource(template: str) -> Mapping[str, Any]:
    """The group, as the template has it."""
    return dict(json.loads(template)["Resources"].get(logical_id.FLEET, {}))
