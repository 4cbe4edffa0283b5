"""How many instances, how they are replaced, and which release they run."""

from __future__ import annotations

from typing import Any

import pytest

from deploy.errors import SettingsError
from tests.deploy.stacks import BUCKET, DIGEST, composed, properties, resource


def group(**settings: Any) -> dict[str, Any]:
    return resource(composed(**settings), "ServiceFleet")


def rolling(**settings: Any) -> dict[str, Any]:
    return dict(group(**settings)["UpdatePolicy"]["AutoScalingRollingUpdate"])


def test_the_metadata_points_to_the_release() -> None:
    assert group()["Metadata"] == {
        "Release": {
            "Bucket": BUCKET,
            "Key": f"hello/artifacts/{DIGEST}.zip",
            "Sha256": DIGEST,
            "BuildId": "build-1",
        }
    }


def test_the_group_follows_the_newest_launch_template() -> None:
    assert group()["Properties"]["LaunchTemplate"] == {
        "LaunchTemplateId": {"Ref": "ServiceLaunchTemplate"},
        "Version": {"Fn::GetAtt": ["ServiceLaunchTemplate", "LatestVersionNumber"]},
    }


def test_the_sizes_are_settings_and_the_desired_capacity_is_left_to_scaling() -> None:
    found = group(min_size=2, max_size=4)["Properties"]
    assert (found["MinSize"], found["MaxSize"]) == ("2", "4")
    assert "DesiredCapacity" not in found


def test_a_minimum_above_the_maximum_is_an_error() -> None:
    with pytest.raises(SettingsError) as refused:
        group(min_size=3, max_size=2)
    assert str(refused.value) == (
        "Decorator 'fleet': min_size is 3 but max_size is 2. Raise max_size or lower min_size."
    )


def test_the_stack_is_there_when_every_first_instance_has_said_so() -> None:
    policy = group(min_size=2, max_size=3, boot_timeout_minutes=15)["CreationPolicy"]
    assert policy == {"ResourceSignal": {"Count": 2, "Timeout": "PT15M"}}


def test_instances_are_replaced_one_by_one_each_gated_on_its_signal() -> None:
    found = rolling(boot_timeout_minutes=15)
    assert found["MaxBatchSize"] == 1
    assert found["WaitOnResourceSignals"] is True
    assert found["PauseTime"] == "PT15M"
    assert found["MinSuccessfulInstancesPercent"] == 100


@pytest.mark.parametrize(
    ("sizes", "in_service"), [((1, 2), 1), ((2, 4), 2), ((1, 1), 0), ((3, 3), 2)]
)
def test_as_many_as_fit_stay_in_service(sizes: tuple[int, int], in_service: int) -> None:
    smallest, largest = sizes
    found = rolling(min_size=smallest, max_size=largest)
    assert found["MinInstancesInService"] == in_service


def test_nothing_meddles_with_a_replacement() -> None:
    assert {"AZRebalance", "ReplaceUnhealthy", "AlarmNotification"} <= set(
        rolling()["SuspendProcesses"]
    )


def test_instances_stand_in_every_zone_or_in_the_chosen_subnets() -> None:
    assert group()["Properties"]["AvailabilityZones"] == {"Fn::GetAZs": ""}
    subnets = ["subnet-0a1b2c3d", "subnet-0a1b2c3e"]
    found = group(vpc="vpc-0a1b2c3d", subnets=subnets)["Properties"]
    assert found["VPCZoneIdentifier"] == subnets
    assert "AvailabilityZones" not in found


def test_instances_carry_the_names_of_what_they_belong_to() -> None:
    tags = {tag["Key"]: tag["Value"] for tag in properties(composed(), "ServiceFleet")["Tags"]}
    assert tags == {"Name": "hello-dev", "Service": "hello", "Stage": "dev"}


def test_the_fleet_is_an_output() -> None:
    assert composed()["Outputs"]["FleetName"]["Value"] == {"Ref": "ServiceFleet"}
