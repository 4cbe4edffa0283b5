"""Who reaches an instance."""

from __future__ import annotations

from typing import Any

import pytest

from deploy.decorators.network import network
from deploy.errors import SettingsError
from service.settings import PORT
from tests.deploy.stacks import composed, properties

SSH = {"key": "my-key", "ssh_cidr": "203.0.113.0/24"}
PLACE = {"vpc": "vpc-0a1b2c3d", "subnets": ["subnet-0a1b2c3d", "subnet-0a1b2c3e"]}


def group(**settings: Any) -> dict[str, Any]:
    return properties(composed((network,), **settings), "ServiceSecurityGroup")


def doors(**settings: Any) -> set[tuple[str, int, int]]:
    rules = group(**settings)["SecurityGroupIngress"]
    return {(rule["CidrIp"], rule["FromPort"], rule["ToPort"]) for rule in rules}


def test_only_the_services_port_is_open() -> None:
    assert doors() == {("0.0.0.0/0", PORT, PORT)}


def test_the_services_port_may_be_open_to_some() -> None:
    assert doors(allow_cidr="10.0.0.0/8") == {("10.0.0.0/8", PORT, PORT)}


def test_ssh_is_open_where_a_key_and_a_range_are_given() -> None:
    assert doors(**SSH) == {("0.0.0.0/0", PORT, PORT), ("203.0.113.0/24", 22, 22)}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"key": "my-key"},
            "Decorator 'network': key is 'my-key' but ssh_cidr is not set. "
            "Pass both --key and --ssh-cidr, or neither.",
        ),
        (
            {"ssh_cidr": "203.0.113.0/24"},
            "Decorator 'network': ssh_cidr is '203.0.113.0/24' but key is not set. "
            "Pass both --key and --ssh-cidr, or neither.",
        ),
        (
            {"subnets": ["subnet-0a1b2c3d", "subnet-0a1b2c3e"]},
            "Decorator 'network': subnets is 'subnet-0a1b2c3d, subnet-0a1b2c3e' but vpc is not "
            "set. Pass both --vpc and --subnets, or neither.",
        ),
        (
            {"vpc": "vpc-0a1b2c3d"},
            "Decorator 'network': vpc is 'vpc-0a1b2c3d' but subnets is not set. "
            "Pass both --vpc and --subnets, or neither.",
        ),
    ],
)
def test_half_of_a_pair_is_an_error(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        group(**settings)
    assert str(refused.value) == message


def test_the_group_is_in_the_default_vpc_or_in_the_chosen_one() -> None:
    assert "VpcId" not in group()
    assert group(**PLACE)["VpcId"] == "vpc-0a1b2c3d"


def test_the_port_is_an_output() -> None:
    assert composed((network,))["Outputs"]["InstancePort"]["Value"] == str(PORT)
