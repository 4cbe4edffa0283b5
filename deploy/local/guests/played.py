"""What a cloud on this machine plays of AWS itself, because the embedded AWS leaves it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from deploy.stack import StackEvent


@dataclass(frozen=True)
class Member:
    """One instance of the fleet, as DescribeAutoScalingGroups and DescribeInstances tell it.

    `state` is its lifecycle state, such as Pending, InService or Terminating.
    """

    instance: str
    state: str
    launch_template_version: str
    private_address: str
    public_address: str
    zone: str
    type: str
    image: str


class Played(Protocol):
    """Instances, their signals, and what a stack waits for because of them.

    `stack` is always a stack's name, whether the caller gave that or its ARN. Each method
    may take its time: it is called in a thread of its own.
    """

    def members(self, group: str) -> Sequence[Member]:
        """Every instance of an Auto Scaling group; none of a group that is not played."""

    def signalled(self, stack: str, logical_id: str, instance: str, status: str) -> str:
        """Takes the signal SUCCESS or FAILURE; empty, or why CloudFormation would refuse it."""

    def shown_stack_status(self, stack: str, status: str) -> str:
        """What the stack's status is, given what the embedded AWS says it is."""

    def more_events(self, stack: str) -> Sequence[StackEvent]:
        """What has happened besides the events of the embedded AWS, oldest first."""

    def held_back(self, stack: str, event: StackEvent) -> bool:
        """Whether an event of the embedded AWS is not told, because it is not true yet."""

    def executed(self, stack: str, change_set: str) -> None:
        """A change set is about to be executed."""
