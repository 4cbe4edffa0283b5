"""Changes of a stack with a fleet, in an embedded AWS, by the tool and through the gateway."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from deploy.aws import Aws
from deploy.console import Console
from deploy.errors import AwsError, StackError
from deploy.local.embedded_aws import EmbeddedAws
from deploy.local.guests.announcements import SIMULATED
from deploy.stack import StackEvent
from deploy.stack.deletion import delete
from deploy.stack.hints import Hints
from tests.deploy.local.guests.fleets import RHYTHM, Site, playing, template
from tests.deploy.local.guests.machines import PATIENCE, Machine, eventually


@pytest.fixture
def site(embedded: EmbeddedAws, tmp_path: Path) -> Iterator[Site]:
    with playing(embedded, tmp_path) as site:
        yield site


def in_background(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def silent(_machine: Machine) -> None:
    """Neither success nor failure."""


def status(site: Site) -> str:
    """The stack's, empty without one."""
    stack = site.aws.stack(site.stack)
    return stack.status if stack else ""


# A creation


def test_a_creation_waits_for_its_instances(site: Site) -> None:
    site.factory.boots = silent
    creation = in_background(lambda: site.provision(template(smallest=2, largest=3)))
    eventually(lambda: len(site.factory.running) == 2)
    first, second = site.factory.made
    assert SIMULATED in site.told("ServiceFleet")
    site.signal(first, "SUCCESS")
    assert status(site) == "CREATE_IN_PROGRESS"
    assert "CREATE_COMPLETE" not in site.told(site.stack) + site.told("ServiceFleet")
    assert creation.is_alive()
    site.signal(first, "FAILURE")  # its first word counts
    site.signal(second, "SUCCESS")
    creation.join(PATIENCE)
    assert site.told("ServiceFleet") == [
        "CREATE_IN_PROGRESS",
        SIMULATED,
        "Waiting on 2 resource signal(s) with a timeout of PT10M.",
        f"Received SUCCESS signal with UniqueId {first.instance}",
        f"Received SUCCESS signal with UniqueId {second.instance}",
        "CREATE_COMPLETE",
    ]
    assert site.told(site.stack)[-1] == "CREATE_COMPLETE"
    assert any(line.endswith(f"UniqueId {second.instance}") for line in site.progress)
    fleet = site.aws.fleet(site.group)
    assert fleet is not None
    assert [one.id for one in fleet.instances] == [first.instance, second.instance]
    assert [one.state for one in fleet.instances] == ["InService", "InService"]


def test_an_instance_that_does_not_boot_fails_the_creation_and_its_log_is_shown(
    site: Site,
) -> None:
    def fail(machine: Machine) -> None:
        site.log(machine, "user-data: error: why")
        site.signal(machine, "FAILURE")

    site.factory.boots = fail
    with pytest.raises(StackError) as caught:
        site.provision(template())
    (machine,) = site.factory.made
    assert str(caught.value).splitlines() == [
        f"Stack {site.stack!r} was not created: "
        "ServiceFleet: 1 of 1 instances signalled a failure.",
        f"  The end of the log of instance {machine.instance}:",
        "    user-data: error: why",
        "Nothing is left of it; correct the cause and retry.",
    ]
    assert machine.ends == ["stop"]
    assert site.aws.stack(site.stack) is None
    site.factory.boots = site.succeed
    assert site.provision(template()).result == "created"
    assert not any("FAILURE" in line for line in site.told("ServiceFleet"))


def test_a_failed_creation_is_taken_away_after_its_instances(site: Site) -> None:
    def fail(machine: Machine) -> None:
        machine.may_stop.clear()
        site.signal(machine, "FAILURE")

    site.factory.boots = fail
    creation = in_background(lambda: site.failure(template()))
    eventually(lambda: site.factory.made and site.factory.made[0].ends)
    assert status(site) == "ROLLBACK_IN_PROGRESS"
    site.factory.made[0].may_stop.set()
    creation.join(PATIENCE)
    assert status(site) == ""


def test_silence_fails_the_creation(site: Site) -> None:
    site.factory.boots = silent
    with pytest.raises(StackError, match=r"ServiceFleet got 0 of 1 signals in \d+ s\."):
        site.provision(template(timeout="PT2S"))
    assert site.factory.running == []


def test_an_instance_that_cannot_be_launched_fails_the_creation(site: Site) -> None:
    site.factory.broken.add("1")
    with pytest.raises(StackError, match=r"ServiceFleet: Version 1 cannot be launched\."):
        site.provision(template())


NOBODY = "arn:aws:lambda:eu-central-1:000000000000:function:nobody"
BROKEN = {"Type": "Custom::Broken", "Properties": {"ServiceToken": NOBODY}}


def test_what_the_embedded_aws_refuses_is_not_played(site: Site) -> None:
    with pytest.raises(StackError, match="was not created: Broken"):
        site.provision({**template(), "Broken": BROKEN})
    assert site.factory.made == []
    assert site.provision(template()).result == "created"


def test_a_change_that_begins_before_the_last_ones_failure_was_noticed_is_played(
    embedded: EmbeddedAws, tmp_path: Path
) -> None:
    with playing(embedded, tmp_path, replace(RHYTHM, look=2.0)) as site:
        with pytest.raises(StackError, match="was not created: Broken"):
            site.provision({**template(), "Broken": BROKEN})
        assert site.provision(template(timeout="PT20S")).result == "created"
        assert len(site.factory.running) == 1
        assert site.said == []


def test_of_a_stack_without_a_fleet_nothing_is_told(site: Site) -> None:
    logs = {"ServiceInstanceLogs": template()["ServiceInstanceLogs"]}
    assert site.provision(logs).result == "created"
    assert site.told("ServiceFleet") == []
    assert site.told(site.stack)[-1] == "CREATE_COMPLETE"


# An update


def test_a_release_replaces_nothing(site: Site) -> None:
    site.provision(template(release="a"))
    before = len(site.told("ServiceFleet"))
    assert site.provision(template(release="b")).result == "updated"
    assert len(site.factory.made) == 1
    assert site.told("ServiceFleet")[before:] == ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]
    assert site.told(site.stack)[-2:] == ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]


def test_a_new_launch_template_replaces_the_instances_one_by_one(site: Site) -> None:
    site.provision(template("one", smallest=2, largest=3))
    assert site.said == []
    before = len(site.told("ServiceFleet"))
    site.provision(template("two", smallest=2, largest=3))
    old, kept, new, last = (machine.instance for machine in site.factory.made)
    waiting = (
        "New instance(s) added to autoscaling group - Waiting on 1 resource signal(s) with a "
        "timeout of PT10M."
    )
    told = site.told("ServiceFleet")[before:]
    assert [line for line in told if "Successfully" not in line] == [
        "UPDATE_IN_PROGRESS",
        SIMULATED,
        "Rolling update initiated. Terminating 2 obsolete instance(s) in batches of 1, while "
        "keeping at least 2 instance(s) in service. Waiting on resource signals with a timeout "
        "of PT10M when new instances are added to the autoscaling group.",
        "Temporarily setting autoscaling group MinSize and DesiredCapacity to 3.",
        waiting,
        f"Received SUCCESS signal with UniqueId {new}",
        f"Terminating instance(s) [{old}]; replacing with 1 new instance(s).",
        waiting,
        f"Received SUCCESS signal with UniqueId {last}",
        f"Terminating instance(s) [{kept}]; replacing with 0 new instance(s).",
        "UPDATE_COMPLETE",
    ]
    assert f"Successfully terminated instance(s) [{kept}] (Progress 100%)." in told
    assert site.factory.running == [new, last]
    assert [one.version for one in site.fleet.standings()] == ["2", "2"]
    assert any("Simulated: ServiceFleet UPDATE_IN_PROGRESS: Terminating" in s for s in site.said)


def test_the_old_instance_stays_until_the_new_one_serves(site: Site) -> None:
    site.provision(template("one"))
    site.factory.boots = silent
    update = in_background(lambda: site.provision(template("two")))
    eventually(lambda: len(site.factory.running) == 2)
    assert status(site) == "UPDATE_IN_PROGRESS"
    assert site.told(site.stack)[-1] == "UPDATE_IN_PROGRESS"
    old, new = site.factory.made
    site.signal(new, "SUCCESS")
    update.join(PATIENCE)
    assert (old.ends, new.ends) == (["stop"], [])


@pytest.mark.parametrize("signal", ["FAILURE", ""])
def test_an_update_that_fails_goes_back_to_what_ran_before(site: Site, signal: str) -> None:
    site.provision(template("one"))
    former = site.direct.template(site.stack)
    (old,) = site.factory.made
    site.factory.boots = lambda one: site.signal(one, signal) if signal else None
    with pytest.raises(StackError) as caught:
        site.provision(template("two", release="b", timeout="PT10M" if signal else "PT2S"))
    lines = str(caught.value).splitlines()
    assert lines[0].startswith(f"Stack {site.stack!r} rolled back: ServiceFleet")
    assert lines[-1] == "What ran before runs on; correct the cause and retry."
    assert status(site) == "UPDATE_ROLLBACK_COMPLETE"
    assert site.direct.template(site.stack) == former
    assert site.direct.resource_metadata(site.stack, "ServiceFleet") == {"Release": {"Sha256": "a"}}
    assert site.factory.running == [old.instance]
    assert site.told(site.stack)[-3:] == [
        "UPDATE_IN_PROGRESS",
        "The following resource(s) failed to update: [ServiceFleet].",
        "UPDATE_ROLLBACK_COMPLETE",
    ]
    missing = "Failed to receive 1 resource signal(s) for the current batch."
    assert any(line.startswith(missing) for line in site.told("ServiceFleet")) == (not signal)


def test_after_a_rollback_releases_replace_nothing_and_updates_do(site: Site) -> None:
    site.provision(template("one"))
    (old,) = site.factory.made
    site.factory.boots = lambda one: site.signal(one, "FAILURE")
    with pytest.raises(StackError):
        site.provision(template("two"))
    site.factory.boots = site.succeed
    assert site.provision(template("one")).result == "unchanged"
    site.provision(template("one", release="b"))
    assert site.factory.running == [old.instance]
    assert site.provision(template("three")).result == "updated"
    assert old.ends == ["stop"]
    assert len(site.factory.running) == 1


def test_without_room_the_old_one_comes_back_after_a_failure(site: Site) -> None:
    site.provision(template("one", largest=1))
    (old,) = site.factory.made

    def only_one(machine: Machine) -> None:
        site.signal(machine, "SUCCESS" if machine.version != "2" else "FAILURE")

    site.factory.boots = only_one
    with pytest.raises(StackError, match="rolled back"):
        site.provision(template("two", largest=1))
    _, failed, back = site.factory.made
    assert (old.ends, failed.ends, back.ends) == (["stop"], ["stop"], [])


def test_a_rollback_that_fails_as_well_is_told(site: Site) -> None:
    site.provision(template("one", largest=1))
    site.factory.boots = lambda one: site.signal(one, "FAILURE")
    with pytest.raises(StackError, match="could not be rolled back: ServiceFleet"):
        site.provision(template("two", largest=1))
    assert status(site) == "UPDATE_ROLLBACK_FAILED"


def test_a_rollback_that_cannot_launch_is_told(site: Site) -> None:
    site.provision(template("one", largest=1))
    site.factory.boots = lambda one: site.signal(one, "FAILURE")
    site.factory.broken.add("3")
    assert "ServiceFleet: " in site.failure(template("two", largest=1))
    assert status(site) == "UPDATE_ROLLBACK_FAILED"
    assert site.told("ServiceFleet")[-1] == "Version 3 cannot be launched."


def test_a_long_template_goes_back_as_well(site: Site) -> None:
    long = {
        f"Queue{number}": {"Type": "AWS::SQS::Queue", "Metadata": {"Text": "x" * 9_000}}
        for number in range(6)
    }
    site.provision({**template("one"), **long})
    former = site.direct.template(site.stack)
    site.factory.boots = lambda one: site.signal(one, "FAILURE")
    with pytest.raises(StackError, match="rolled back"):
        site.provision({**template("two"), **long})
    assert site.direct.template(site.stack) == former


# Its size


def test_the_group_follows_its_limits_and_waits_for_nobody(site: Site) -> None:
    site.provision(template(largest=3))
    refusals: list[str] = []

    def refused(machine: Machine) -> None:
        with pytest.raises(ClientError) as caught:
            site.signal(machine, "SUCCESS")
        refusals.append(caught.value.response["Error"]["Message"])

    site.factory.boots = silent
    site.provision(template(smallest=3, largest=3))
    eventually(lambda: len(site.factory.running) == 3)
    refused(site.factory.made[2])
    stack = site.aws.stack(site.stack)
    assert stack is not None
    assert refusals == [f"Stack {stack.id} is in UPDATE_COMPLETE state and cannot be signaled"]
    site.provision(template(smallest=1, largest=1))
    eventually(lambda: len(site.fleet.members()) == 1)


def test_an_update_keeps_what_scaling_has_made_of_the_size(site: Site) -> None:
    site.provision(template("one", largest=3))
    site.client("autoscaling").set_desired_capacity(
        AutoScalingGroupName=site.group, DesiredCapacity=2
    )
    eventually(lambda: len(site.factory.running) == 2)
    site.provision(template("two", largest=3))
    fleet = site.aws.fleet(site.group)
    assert fleet is not None
    assert (fleet.desired, len(fleet.instances)) == (2, 2)
    site.provision(template("two", largest=3, DesiredCapacity="1"))
    eventually(lambda: len(site.fleet.members()) == 1)


def test_what_is_lost_is_replaced_from_the_current_template(site: Site) -> None:
    site.provision(template())
    (lost,) = site.factory.made
    site.factory.boots = silent
    lost.is_running = False
    eventually(lambda: len(site.factory.running) == 1)
    assert f"Instance {lost.instance} has ended by itself; the group replaces it." in site.said
    assert site.factory.made[1].version == "1"


def test_a_problem_of_the_fleet_is_told_once(site: Site) -> None:
    site.provision(template())
    site.factory.broken.add("1")
    site.factory.made[0].is_running = False
    text = "The fleet cannot be played: Version 1 cannot be launched."
    eventually(lambda: text in site.said)
    asked = len(site.factory.asked)
    eventually(lambda: len(site.factory.asked) > asked + 2)
    assert site.said.count(text) == 1
    site.factory.broken.clear()
    eventually(lambda: site.factory.running)


# Its end


def test_no_instance_outlives_its_stack(site: Site) -> None:
    site.provision(template())
    stack = site.aws.stack(site.stack)
    assert stack is not None
    delete(site.aws, stack, Console(list[str]().append), Hints("dev", "eu-central-1", local=True))
    eventually(lambda: not site.fleet.members())


def test_a_stack_may_be_deleted_while_it_is_created(site: Site) -> None:
    outcomes: list[str] = []
    site.factory.boots = silent
    creation = in_background(lambda: outcomes.append(site.failure(template())))
    eventually(lambda: site.factory.running)
    stack = site.aws.stack(site.stack)
    assert stack is not None
    delete(site.aws, stack, Console(list[str]().append), Hints("dev", "eu-central-1", local=True))
    creation.join(PATIENCE)
    assert outcomes[0].startswith(f"Stack {site.stack!r} was not created: ")
    eventually(lambda: not site.fleet.members())
    with pytest.raises(ClientError, match=f"Stack '{site.stack}' does not exist"):
        site.signal(site.factory.made[0], "SUCCESS")
    site.factory.boots = site.succeed
    assert site.provision(template()).result == "created"


def test_it_is_taken_down_at_once_whatever_it_waits_for(
    embedded: EmbeddedAws, tmp_path: Path
) -> None:
    def provision(site: Site) -> None:
        with suppress(Exception):  # its AWS goes away, at any moment
            site.provision(template())

    with playing(embedded, tmp_path) as site:
        site.factory.boots = silent
        creation = in_background(lambda: provision(site))
        eventually(lambda: site.factory.running)
        start = time.monotonic()
    assert time.monotonic() - start < 60  # the instance would be waited for ten minutes
    assert site.factory.running == []
    creation.join(PATIENCE)


def test_a_change_that_never_begins_is_given_up(embedded: EmbeddedAws, tmp_path: Path) -> None:
    hasty = replace(RHYTHM, begin=2.0)
    with playing(embedded, tmp_path, hasty) as site:
        site.provision(template())
        site.provision(template(release="b"))
        with pytest.raises(ClientError, match="does not exist"):
            site.client("cloudformation").execute_change_set(
                StackName=site.stack, ChangeSetName="nobodys"
            )
        eventually(lambda: status(site) == "UPDATE_COMPLETE")
        assert site.provision(template("two")).result == "updated"


class Mute(Aws):
    """Says nothing of events, so that nobody can tell when the embedded AWS is done."""

    def events(self, stack: str, after: str = "") -> tuple[StackEvent, ...]:
        raise AwsError("Nobody tells the events.")


def test_what_cannot_be_played_is_shown_as_the_embedded_aws_has_it(
    embedded: EmbeddedAws, tmp_path: Path
) -> None:
    with playing(embedded, tmp_path, kind=Mute) as site:
        assert site.provision(template()).result == "created"
        assert "The fleet cannot be played: Nobody tells the events." in site.said


OFTEN = {"Delay": 0.2, "MaxAttempts": 600}


def test_other_stacks_are_the_embedded_awss_alone(site: Site) -> None:
    site.factory.boots = silent
    creation = in_background(lambda: site.provision(template()))
    eventually(lambda: site.factory.running)
    client, other = site.client("cloudformation"), {"StackName": f"{site.name}-other"}
    client.create_stack(TemplateBody=json.dumps({"Resources": template()}), **other)
    client.get_waiter("stack_create_complete").wait(WaiterConfig=OFTEN, **other)
    more = {"ChangeSetName": "more", **other}
    client.create_change_set(TemplateBody=json.dumps({"Resources": template("two")}), **more)
    client.get_waiter("change_set_create_complete").wait(WaiterConfig=OFTEN, **more)
    client.execute_change_set(**more)
    client.get_waiter("stack_update_complete").wait(WaiterConfig=OFTEN, **other)

    events = site.aws.events(other["StackName"])
    assert SIMULATED not in [one.reason for one in events]
    done = [one.status for one in events if one.logical_id == "ServiceFleet"]
    assert done == [
        f"{kind}_{end}" for kind in ("CREATE", "UPDATE") for end in ("IN_PROGRESS", "COMPLETE")
    ]
    groups = site.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    others = [one for one in groups if one["AutoScalingGroupName"].startswith(other["StackName"])]
    assert [one["Instances"] for one in others] == [[]]
    (machine,) = site.factory.made
    with pytest.raises(ClientError, match="is not waiting for a signal"):
        client.signal_resource(
            LogicalResourceId="ServiceFleet",
            UniqueId=machine.instance,
            Status="FAILURE",
            **other,
        )
    site.succeed(machine)
    creation.join(PATIENCE)
    assert status(site) == "CREATE_COMPLETE"
    assert SIMULATED in site.told("ServiceFleet")
