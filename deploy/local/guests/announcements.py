"""What CloudFormation says of the instances of a group, in the words of its events. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from deploy.local.guests.policies import CreationPolicy, UpdatePolicy, duration
from deploy.local.guests.rolling import Signal, Update

SIMULATED = "Simulated on this machine: guests play the instance(s)."
"""Stands before the others, so that nobody takes them for AWS's own."""


def creation(policy: CreationPolicy) -> str:
    """What a new group waits for."""
    return (
        f"Waiting on {policy.count} resource signal(s) with a timeout of "
        f"{duration(policy.timeout)}."
    )


def initiated(update: Update) -> str:
    """A rolling update begins."""
    policy = update.policy
    text = (
        f"Rolling update initiated. Terminating {len(update.obsolete)} obsolete instance(s) in "
        f"batches of {update.batch}"
    )
    if policy.in_service:
        text += f", while keeping at least {policy.in_service} instance(s) in service"
    if policy.signals:
        text += (
            f". Waiting on resource signals with a timeout of {duration(policy.pause)} when new "
            "instances are added to the autoscaling group"
        )
    return f"{text}."


def resized(size: int) -> str:
    """The group is larger while its instances are replaced."""
    return f"Temporarily setting autoscaling group MinSize and DesiredCapacity to {size}."


def added(policy: UpdatePolicy, count: int) -> str:
    """New instances were launched."""
    waiting = f"Waiting on {count} resource signal(s) with a timeout of {duration(policy.pause)}"
    pausing = f"Pausing for {duration(policy.pause)}"
    doing = waiting if policy.signals else pausing
    return f"New instance(s) added to autoscaling group - {doing}."


def received(instance: str, signal: Signal) -> str:
    """An instance has signalled."""
    return f"Received {signal} signal with UniqueId {instance}"


def silent(count: int) -> str:
    """Instances have not signalled in time."""
    return (
        f"Failed to receive {count} resource signal(s) for the current batch.  Each resource "
        "signal timeout is counted as a FAILURE."
    )


def terminating(instances: Sequence[str], replacements: int) -> str:
    """Old instances go."""
    return (
        f"Terminating instance(s) [{','.join(instances)}]; replacing with {replacements} new "
        "instance(s)."
    )


def terminated(instances: Sequence[str], gone: int, total: int) -> str:
    """They are gone, and with them `gone` of `total`."""
    percent = round(100 * gone / total)
    return f"Successfully terminated instance(s) [{','.join(instances)}] (Progress {percent}%)."
