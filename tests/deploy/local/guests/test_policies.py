"""Policies as a template has them: values, defaults, and what cannot be played."""

from __future__ import annotations

import pytest

from deploy.errors import LocalError
from deploy.local.guests.policies import (
    CreationPolicy,
    UpdatePolicy,
    creation_policy,
    duration,
    seconds,
    update_policy,
)
from tests.deploy.stacks import composed


def test_the_fleet_of_the_topology_is_understood() -> None:
    fleet = composed(min_size=2, max_size=4, boot_timeout_minutes=15)["Resources"]["ServiceFleet"]
    assert creation_policy(fleet) == CreationPolicy(count=2, timeout=900.0, percent=100)
    assert update_policy(fleet) == UpdatePolicy(
        batch=1, in_service=2, percent=100, pause=900.0, signals=True
    )


def test_without_policies_nobody_waits_and_nothing_is_replaced() -> None:
    assert creation_policy({}) is None
    assert update_policy({"UpdatePolicy": {"AutoScalingScheduledAction": {}}}) is None


def test_defaults_are_those_of_the_template_reference() -> None:
    assert creation_policy({"CreationPolicy": {"ResourceSignal": {}}}) == CreationPolicy(
        count=1, timeout=300.0, percent=100
    )
    assert update_policy({"UpdatePolicy": {"AutoScalingRollingUpdate": {}}}) == UpdatePolicy(
        batch=1, in_service=0, percent=100, pause=0.0, signals=False
    )


def test_a_signal_is_waited_for_five_minutes_unless_the_policy_says_otherwise() -> None:
    rolling = {"WaitOnResourceSignals": "true", "MaxBatchSize": "3"}
    policy = update_policy({"UpdatePolicy": {"AutoScalingRollingUpdate": rolling}})
    assert policy == UpdatePolicy(batch=3, pause=300.0, signals=True)


@pytest.mark.parametrize(
    ("text", "amount"), [("PT10M", 600.0), ("PT1H", 3600.0), ("PT1H2M3S", 3723.0), ("PT0S", 0.0)]
)
def test_a_duration_is_so_many_seconds_and_back(text: str, amount: float) -> None:
    assert seconds(text) == amount
    assert duration(amount) == text


@pytest.mark.parametrize("text", ["", "PT", "10M", "P1D", "PT5", {"Ref": "Pause"}])
def test_another_form_is_no_duration(text: object) -> None:
    with pytest.raises(LocalError) as caught:
        seconds(text)
    assert str(caught.value) == (
        f"{text!r} is no duration of a form like PT10M. Change it in the template."
    )


@pytest.mark.parametrize(("key", "value"), [("MaxBatchSize", 0), ("MinInstancesInService", "x")])
def test_a_policy_that_cannot_be_played_is_refused(key: str, value: object) -> None:
    least = 1 if key == "MaxBatchSize" else 0
    with pytest.raises(LocalError) as caught:
        update_policy({"UpdatePolicy": {"AutoScalingRollingUpdate": {key: value}}})
    assert str(caught.value) == (
        f"{key} is {value!r}; a policy is played here with a plain number of at least {least} "
        "only. Change it in the template."
    )
