"""CloudFormation's words, as the events of stacks on AWS have them."""

from __future__ import annotations

from dataclasses import replace

from deploy.local.guests import announcements
from deploy.local.guests.policies import CreationPolicy, UpdatePolicy
from deploy.local.guests.rolling import Size, Standing, Update

POLICY = UpdatePolicy(batch=1, in_service=3, percent=100, pause=900.0, signals=True)
UPDATE = Update(POLICY, Size(3, 5), "2", tuple(Standing(name, "1") for name in "abc"))


def test_a_rolling_update_begins() -> None:
    assert announcements.initiated(UPDATE) == (
        "Rolling update initiated. Terminating 3 obsolete instance(s) in batches of 1, while "
        "keeping at least 3 instance(s) in service. Waiting on resource signals with a timeout "
        "of PT15M when new instances are added to the autoscaling group."
    )


def test_without_a_minimum_and_signals_it_says_less() -> None:
    policy = replace(POLICY, in_service=0, signals=False)
    assert announcements.initiated(replace(UPDATE, policy=policy)) == (
        "Rolling update initiated. Terminating 3 obsolete instance(s) in batches of 1."
    )


def test_the_group_grows_for_a_while() -> None:
    assert announcements.resized(UPDATE.temporary_size) == (
        "Temporarily setting autoscaling group MinSize and DesiredCapacity to 4."
    )


def test_new_instances_are_waited_for() -> None:
    assert announcements.added(POLICY, 1) == (
        "New instance(s) added to autoscaling group - Waiting on 1 resource signal(s) with a "
        "timeout of PT15M."
    )
    assert announcements.added(replace(POLICY, signals=False), 1) == (
        "New instance(s) added to autoscaling group - Pausing for PT15M."
    )


def test_a_creation_waits_for_so_many_signals() -> None:
    assert announcements.creation(CreationPolicy(count=2, timeout=600.0)) == (
        "Waiting on 2 resource signal(s) with a timeout of PT10M."
    )


def test_signals_come_or_do_not() -> None:
    assert announcements.received("i-81c6a159", "SUCCESS") == (
        "Received SUCCESS signal with UniqueId i-81c6a159"
    )
    assert announcements.silent(1) == (
        "Failed to receive 1 resource signal(s) for the current batch.  Each resource signal "
        "timeout is counted as a FAILURE."
    )


def test_old_instances_go() -> None:
    assert announcements.terminating(["i-1", "i-2"], 1) == (
        "Terminating instance(s) [i-1,i-2]; replacing with 1 new instance(s)."
    )
    assert announcements.terminated(["i-1"], 2, 3) == (
        "Successfully terminated instance(s) [i-1] (Progress 67%)."
    )
