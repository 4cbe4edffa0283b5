"""Each resource of the stack exists when asked for through its own service, not CloudFormation.

An emulator may skip a type in silence and report CREATE_COMPLETE; this is what notices.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
import pytest
from botocore.config import Config

from deploy.local.embedded_aws import EmbeddedAws

Ask = Callable[[str], Any]
Check = Callable[[Ask, str, Mapping[str, Any]], None]

CHECKS: dict[str, Check] = {}


def check(resource_type: str) -> Callable[[Check], Check]:
    def register(function: Check) -> Check:
        CHECKS[resource_type] = function
        return function

    return register


@check("AWS::Logs::LogGroup")
def log_group(ask: Ask, name: str, wanted: Mapping[str, Any]) -> None:
    groups = ask("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    assert [group["logGroupName"] for group in groups] == [name]
    assert groups[0]["retentionInDays"] == wanted["RetentionInDays"]


@check("AWS::IAM::Role")
def role(ask: Ask, name: str, wanted: Mapping[str, Any]) -> None:
    found = ask("iam").get_role(RoleName=name)["Role"]
    trusted = re.search(r"(ec2|lambda)\.", json.dumps(wanted["AssumeRolePolicyDocument"]))
    assert trusted
    assert trusted[0] + "amazonaws.com" in json.dumps(found["AssumeRolePolicyDocument"])
    policies = ask("iam").list_role_policies(RoleName=name)["PolicyNames"]
    assert policies == [policy["PolicyName"] for policy in wanted.get("Policies", ())]


@check("AWS::IAM::InstanceProfile")
def instance_profile(ask: Ask, name: str, wanted: Mapping[str, Any]) -> None:
    name = name.rpartition("/")[2]  # ministack's Ref gives the ARN, AWS's the name
    found = ask("iam").get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    assert len(found["Roles"]) == len(wanted["Roles"]) == 1


@check("AWS::Lambda::Function")
def function(ask: Ask, name: str, wanted: Mapping[str, Any]) -> None:
    found = ask("lambda").get_function(FunctionName=name)["Configuration"]
    told = wanted["Environment"]["Variables"]
    for key in ("Runtime", "Handler", "MemorySize", "Timeout", "Architectures"):
        assert found[key] == wanted[key]
    assert found["Environment"]["Variables"] == told
    assert base64.b64decode(found["CodeSha256"]).hex() == told["SERVICE_DIGEST"]


@check("AWS::Lambda::Version")
def version(ask: Ask, arn: str, wanted: Mapping[str, Any]) -> None:
    found = ask("lambda").get_function_configuration(FunctionName=arn)
    assert found["Version"].isdigit()
    assert found["CodeSha256"] == wanted["CodeSha256"]


@check("AWS::Lambda::Alias")
def alias(ask: Ask, arn: str, wanted: Mapping[str, Any]) -> None:
    name = arn.rpartition(":")[0]
    found = ask("lambda").get_alias(FunctionName=name, Name=wanted["Name"])
    assert found["FunctionVersion"].isdigit()


@check("AWS::Lambda::Url")
def function_url(ask: Ask, arn: str, wanted: Mapping[str, Any]) -> None:
    name = arn.removesuffix(f":{wanted['Qualifier']}")
    found = ask("lambda").get_function_url_config(FunctionName=name, Qualifier=wanted["Qualifier"])
    assert found["AuthType"] == wanted["AuthType"]
    assert found["FunctionUrl"].startswith("https://")


@check("AWS::Lambda::Permission")
def permission(ask: Ask, identifier: str, wanted: Mapping[str, Any]) -> None:
    names = [one["FunctionName"] for one in ask("lambda").list_functions()["Functions"]]
    statements = [
        statement
        for name in names
        for qualifier in ({}, {"Qualifier": "live"})
        for statement in _policy(ask, FunctionName=name, **qualifier)
    ]
    assert wanted["Action"] in [statement["Action"] for statement in statements]


def _policy(ask: Ask, **of: str) -> list[dict[str, Any]]:
    client = ask("lambda")
    try:
        return list(json.loads(client.get_policy(**of)["Policy"])["Statement"])
    except client.exceptions.ResourceNotFoundException:
        return []


@check("AWS::EC2::SecurityGroup")
def security_group(ask: Ask, identifier: str, wanted: Mapping[str, Any]) -> None:
    found = ask("ec2").describe_security_groups(GroupIds=[identifier])["SecurityGroups"][0]
    assert found["Description"] == wanted["GroupDescription"]
    assert [one["FromPort"] for one in found["IpPermissions"]] == [
        one["FromPort"] for one in wanted["SecurityGroupIngress"]
    ]


@check("AWS::EC2::LaunchTemplate")
def launch_template(ask: Ask, identifier: str, wanted: Mapping[str, Any]) -> None:
    versions = ask("ec2").describe_launch_template_versions(
        LaunchTemplateId=identifier, Versions=["$Latest"]
    )["LaunchTemplateVersions"]
    launched, asked = versions[0]["LaunchTemplateData"], wanted["LaunchTemplateData"]
    assert launched["InstanceType"] == asked["InstanceType"]
    assert launched["MetadataOptions"]["HttpTokens"] == "required"
    assert launched["ImageId"].startswith("ami-")
    assert base64.b64decode(launched["UserData"]).startswith(b"#!")


@check("AWS::AutoScaling::AutoScalingGroup")
def fleet(ask: Ask, name: str, wanted: Mapping[str, Any]) -> None:
    groups = ask("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    group = groups["AutoScalingGroups"][0]
    assert (group["MinSize"], group["MaxSize"]) == (int(wanted["MinSize"]), int(wanted["MaxSize"]))
    assert group["LaunchTemplate"]["LaunchTemplateId"].startswith("lt-")


@pytest.fixture(scope="module")
def ask(embedded: EmbeddedAws) -> Iterator[Ask]:
    """A service's own API in the embedded AWS."""
    session = boto3.Session("test", "test", region_name=embedded.region)
    clients: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in clients:
            config = Config(retries={"total_max_attempts": 1})
            clients[service] = session.client(
                service, endpoint_url=embedded.endpoint, config=config
            )
        return clients[service]

    yield client
    for opened in clients.values():
        opened.close()


def test_every_resource_exists_in_its_own_service(provisioned: Any, ask: Ask) -> None:
    template = json.loads(provisioned.plan.template)["Resources"]
    created = {one.logical_id: one for one in provisioned.aws.resources(provisioned.plan.stack)}
    assert created.keys() == template.keys()
    for logical_id, resource in template.items():
        assert resource["Type"] in CHECKS, f"{resource['Type']} needs a check of its own here"
        wanted = resource.get("Properties", {})
        CHECKS[resource["Type"]](ask, created[logical_id].physical_id, wanted)


def test_no_check_is_left_over(provisioned: Any) -> None:
    template = json.loads(provisioned.plan.template)["Resources"]
    assert CHECKS.keys() == {resource["Type"] for resource in template.values()}


@pytest.mark.parametrize("resource_type", CHECKS)
def test_a_check_fails_for_what_does_not_exist(
    provisioned: Any, ask: Ask, resource_type: str
) -> None:
    template = json.loads(provisioned.plan.template)["Resources"]
    wanted = next(one for one in template.values() if one["Type"] == resource_type)["Properties"]
    absent = {**wanted, "Action": "lambda:Nothing"}
    with pytest.raises(Exception):  # noqa: B017, PT011  each service refuses in its own way
        CHECKS[resource_type](ask, "arn:aws:lambda:eu-central-1:0:function:missing:live", absent)


def test_the_fleets_metadata_points_to_the_release(provisioned: Any) -> None:
    pointer = provisioned.plan.pointer
    metadata = provisioned.aws.resource_metadata(provisioned.plan.stack, "ServiceFleet")
    assert metadata["Release"] == {
        "Bucket": pointer.bucket,
        "Key": pointer.key,
        "Sha256": pointer.sha256,
        "BuildId": pointer.build_id,
    }
