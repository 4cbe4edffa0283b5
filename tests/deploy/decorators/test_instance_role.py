"""What an instance may do, and what not."""

from __future__ import annotations

import json
from typing import Any

from deploy.decorators.instance_role import instance_role
from tests.deploy.stacks import composed, pointer, properties


def statements() -> list[dict[str, Any]]:
    policies = properties(composed((instance_role,)), "ServiceInstanceRole")["Policies"]
    return [entry for policy in policies for entry in policy["PolicyDocument"]["Statement"]]


def test_an_instance_may_do_these_things_and_no_other() -> None:
    assert {action for statement in statements() for action in statement["Action"]} == {
        "cloudformation:DescribeStackResource",
        "cloudformation:SignalResource",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:GetObject",
    }


def test_each_permission_is_for_what_is_the_services_own() -> None:
    assert [statement["Resource"] for statement in statements()] == [
        {"Fn::Sub": "arn:${AWS::Partition}:s3:::my-artifacts/hello/artifacts/*"},
        {"Ref": "AWS::StackId"},
        {"Fn::GetAtt": ["ServiceInstanceLogs", "Arn"]},
    ]


def test_only_ec2_takes_the_role_in_every_partition() -> None:
    document = properties(composed((instance_role,)), "ServiceInstanceRole")
    (trust,) = document["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": {"Fn::Sub": "ec2.${AWS::URLSuffix}"}}


def test_a_release_changes_no_role() -> None:
    assert composed((instance_role,)) == composed((instance_role,), artifact=pointer("81" * 32))


def test_no_arn_names_a_partition() -> None:
    assert "arn:aws" not in json.dumps(composed())


def test_the_log_group_is_an_output() -> None:
    value = composed((instance_role,))["Outputs"]["InstanceLogGroup"]["Value"]
    assert value == {"Ref": "ServiceInstanceLogs"}
