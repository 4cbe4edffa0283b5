"""What an instance is."""

from __future__ import annotations

from typing import Any

import pytest

from deploy.decorators.instance_role import instance_role
from deploy.decorators.launch_template import launch_template
from deploy.decorators.network import network
from deploy.errors import SettingsError
from deploy.target import PYTHONS
from service.settings import PORT
from tests.deploy.evaluator import evaluate
from tests.deploy.stacks import composed, pointer, properties


def launched(**settings: Any) -> dict[str, Any]:
    template = composed((network, instance_role, launch_template), **settings)
    return dict(properties(template, "ServiceLaunchTemplate")["LaunchTemplateData"])


def refusal(**settings: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        launched(**settings)
    return str(refused.value)


def test_the_metadata_service_needs_a_token_and_answers_the_instance_only() -> None:
    assert launched()["MetadataOptions"] == {
        "HttpEndpoint": "enabled",
        "HttpTokens": "required",
        "HttpPutResponseHopLimit": 1,
    }


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_the_image_is_that_of_the_python_version(python: str, architecture: str) -> None:
    parameter = PYTHONS[python].image_parameters[architecture]
    found = launched(python=python, architecture=architecture)["ImageId"]
    assert found == f"{{{{resolve:ssm:{parameter}}}}}"


def test_the_image_may_be_pinned() -> None:
    assert launched(image="ami-0a1b2c3d")["ImageId"] == "ami-0a1b2c3d"


@pytest.mark.parametrize(
    ("python", "device"), [("3.11", "/dev/xvda"), ("3.12", "/dev/sda1"), ("3.13", "/dev/xvda")]
)
def test_the_root_volume_is_encrypted(python: str, device: str) -> None:
    (volume,) = launched(python=python, disk_gb=20)["BlockDeviceMappings"]
    assert volume["DeviceName"] == device
    assert volume["Ebs"] == {
        "Encrypted": True,
        "VolumeType": "gp3",
        "VolumeSize": 20,
        "DeleteOnTermination": True,
    }


@pytest.mark.parametrize(
    ("architecture", "instance_type"),
    [
        ("x86_64", "t3.micro"),
        ("x86_64", "m7i-flex.large"),
        ("x86_64", "g4dn.xlarge"),
        ("x86_64", "u7in-16tb.224xlarge"),
        ("arm64", "t4g.micro"),
        ("arm64", "a1.medium"),
        ("arm64", "c7gn.large"),
        ("arm64", "is4gen.medium"),
        ("arm64", "g5g.xlarge"),
    ],
)
def test_a_type_of_the_right_processor_is_taken(architecture: str, instance_type: str) -> None:
    found = launched(architecture=architecture, instance_type=instance_type)
    assert found["InstanceType"] == instance_type


@pytest.mark.parametrize(
    ("architecture", "default"), [("x86_64", "t3.micro"), ("arm64", "t4g.micro")]
)
def test_the_default_type_has_the_right_processor(architecture: str, default: str) -> None:
    assert launched(architecture=architecture)["InstanceType"] == default


def test_a_type_of_the_other_processor_is_an_error() -> None:
    assert refusal(instance_type="t4g.micro") == (
        "Decorator 'launch_template': instance_type is 't4g.micro', which is arm64; architecture "
        "is 'x86_64'. Pass --instance-type or --architecture so that they agree."
    )


def test_a_malformed_type_is_an_error_with_the_form() -> None:
    assert refusal(instance_type="t3,micro") == (
        "instance_type is 't3,micro' in pyproject.toml; expected a form like 't3.micro'."
    )


def test_the_key_pair_is_the_instances() -> None:
    assert "KeyName" not in launched()
    assert launched(key="my-key", ssh_cidr="203.0.113.0/24")["KeyName"] == "my-key"


def test_the_user_data_has_its_names_filled_in() -> None:
    user_data = launched(bootstrap_url="https://example.com/a.tar.gz")["UserData"]["Fn::Base64"]
    assert evaluate(user_data) == (
        "#!/usr/bin/env bash\n\n"
        f"readonly SERVICE='hello' FLEET=ServiceFleet PORT={PORT} PYTHON=3.13\n"
        "readonly STACK='hello-dev' LOG_GROUP='/logs'\n"
        "readonly URL='https://example.com/a.tar.gz' SHA256='' "
        'ROOT="${TWOFOLD_ROOT:-}"\n'
    )


AGENT = {"cloud-init/user-data.sh": "{{ agent_url }} {{ agent_sha256 }}"}


@pytest.mark.parametrize(("architecture", "processor"), [("x86_64", "amd64"), ("arm64", "arm64")])
def test_the_agent_is_amazons_of_the_region_and_the_processor(
    architecture: str, processor: str
) -> None:
    user_data = launched(architecture=architecture, ops=AGENT)["UserData"]["Fn::Base64"]
    assert user_data["Fn::Join"][1][0] == {
        "Fn::Sub": "https://amazoncloudwatch-agent-${AWS::Region}.s3.${AWS::Region}."
        f"${{AWS::URLSuffix}}/debian/{processor}/latest/amazon-cloudwatch-agent.deb"
    }


def test_the_agent_may_come_from_elsewhere() -> None:
    user_data = launched(
        ops=AGENT, agent_url="https://example.com/agent.deb", agent_sha256="3f" * 32
    )["UserData"]["Fn::Base64"]
    assert evaluate(user_data) == f"https://example.com/agent.deb {'3f' * 32}"


def test_a_mistake_in_the_user_data_is_shown_with_its_line() -> None:
    assert refusal(ops={"cloud-init/user-data.sh": "#!/bin/sh\n{{ servce }}\n"}) == (
        "Decorator 'launch_template': ops/cloud-init/user-data.sh, line 2: {{ servce }} is "
        "unknown; known are agent_sha256, agent_url, bootstrap_sha256, bootstrap_url, fleet, "
        "log_group, port, python, queues, service, stage, worker_queues."
    )


def test_missing_user_data_is_an_error() -> None:
    assert refusal(ops={}) == (
        "Decorator 'launch_template': ops/cloud-init/user-data.sh is missing; an instance cannot "
        "boot without it."
    )


def test_too_long_user_data_is_an_error() -> None:
    assert "has 16,385 bytes" in refusal(ops={"cloud-init/user-data.sh": "x" * 16_385})


def test_a_release_changes_nothing_of_it() -> None:
    assert launched() == launched(artifact=pointer("81" * 32, "build-2"))
