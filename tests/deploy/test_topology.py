"""The whole stack: what cfn-lint says, what a release changes, and a decorator of one's own."""

from __future__ import annotations

import importlib
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint
from troposphere import GetAtt, Output, Parameter, Ref, Template, iam, sns, sqs

from deploy import logical_id, topology
from deploy.composition import topology_settings
from deploy.decorators.policy import allow, policy
from deploy.decorators.work_queue import work_queue
from deploy.setting import Setting, text, whole
from deploy.settings import GENERAL
from deploy.stack.plan import INLINE_LIMIT
from deploy.target import ARCHITECTURES, PYTHONS
from deploy.template import Deployment, compose
from deploy.template.declarations import declares
from deploy.topology import TOPOLOGY
from tests.deploy.stacks import composed, deployment, pointer

REGIONS = ["us-east-1", "eu-central-1", "ap-southeast-2"]
SSH = {"key": "my-key", "ssh_cidr": "203.0.113.0/24"}
PLACE = {"vpc": "vpc-0a1b2c3d", "subnets": ["subnet-0a1b2c3d", "subnet-0a1b2c3e"]}


def complaints(template: Template) -> list[str]:
    """Errors and warnings of cfn-lint, in regions where not everything is the same."""
    return [str(match) for match in lint(template.to_json(), regions=REGIONS)]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_cfn_lint_has_nothing_to_say(python: str, architecture: str, root: Path) -> None:
    user_data = (root / "ops/cloud-init/user-data.sh").read_text(encoding="utf-8")
    found = deployment(
        ops={"cloud-init/user-data.sh": user_data}, python=python, architecture=architecture
    )
    assert complaints(compose(found, TOPOLOGY)) == []


@pytest.mark.parametrize(
    "settings",
    [
        {"image": "ami-0a1b2c3d", "disk_gb": 20, "log_retention_days": 3653},
        {**SSH, "min_size": 2, "max_size": 4},
        {**PLACE, "min_size": 1, "max_size": 1, "allow_cidr": "10.0.0.0/8"},
        {"url_auth": "AWS_IAM", "memory_mb": 10_240, "timeout_seconds": 900},
    ],
)
def test_cfn_lint_has_nothing_to_say_about_other_settings(settings: dict[str, Any]) -> None:
    assert complaints(compose(deployment(**settings), TOPOLOGY)) == []


def test_cfn_lint_would_say_it_of_an_error() -> None:
    template = compose(deployment(), TOPOLOGY)
    template.resources[logical_id.FUNCTION].Runtime = "python2.7"
    assert "E2533" in str(complaints(template))


def test_cfn_lint_would_say_it_of_what_is_only_a_warning() -> None:
    template = compose(deployment(), TOPOLOGY)
    template.add_parameter(Parameter("Unused", Type="String"))
    assert "W2001" in str(complaints(template))


def test_the_template_fits_into_the_request() -> None:
    assert len(compose(deployment(), TOPOLOGY).to_json().encode()) < INLINE_LIMIT


def test_new_code_changes_the_function_and_the_pointer_and_nothing_else() -> None:
    before, after = composed(), composed(artifact=pointer("81" * 32, "build-2"))
    old, new = _leaves(before), _leaves(after)
    changed = {path for path in old.keys() | new.keys() if old.get(path) != new.get(path)}
    unversioned = {"/".join(path) for path in changed if "ServiceVersion" not in path[1]}
    assert unversioned == {
        "Resources/ServiceFunction/Properties/Code/S3Key",
        "Resources/ServiceFunction/Properties/Environment/Variables/SERVICE_DIGEST",
        "Resources/ServiceAlias/Properties/FunctionVersion/Fn::GetAtt/0",
        "Resources/ServiceFleet/Metadata/Release/Key",
        "Resources/ServiceFleet/Metadata/Release/Sha256",
        "Resources/ServiceFleet/Metadata/Release/BuildId",
        "Outputs/FunctionVersion/Value/Fn::GetAtt/0",
        "Outputs/ArtifactDigest/Value",
        "Outputs/BuildId/Value",
    }


def test_each_side_can_be_left_out() -> None:
    lambda_side, ec2_side = TOPOLOGY[:2], TOPOLOGY[2:6]
    assert logical_id.FLEET not in composed(lambda_side)["Resources"]
    assert logical_id.FUNCTION not in composed(ec2_side)["Resources"]


RETENTION = Setting("queue_seconds", whole(60, 1_209_600), "How long a message waits.", 345_600)


@declares(RETENTION)
def jobs(template: Template, deployment: Deployment) -> None:
    """A decorator as a user writes it: a flag, a queue, who may use it, who is told of it."""
    queue = sqs.Queue("Work", MessageRetentionPeriod=deployment.settings[RETENTION])
    template.add_resource(queue)
    template.add_resource(
        iam.PolicyType(
            "WorkPolicy",
            PolicyName="Work",
            PolicyDocument=policy(
                "Work", allow("sqs:SendMessage", on=GetAtt(queue, "Arn"))
            ).to_dict()["PolicyDocument"],
            Roles=[Ref(logical_id.FUNCTION_ROLE), Ref(logical_id.INSTANCE_ROLE)],
        )
    )
    template.add_output(Output("WorkUrl", Value=Ref(queue)))
    deployment.function.Environment.Variables["WORK_URL"] = Ref(queue)


def test_a_decorator_of_ones_own_joins_the_stack() -> None:
    entries = (jobs, *TOPOLOGY)
    template = compose(deployment(entries, queue_seconds="600"), entries)
    resources = template.to_dict()["Resources"]
    variables = resources["ServiceFunction"]["Properties"]["Environment"]["Variables"]
    assert resources["Work"]["Properties"] == {"MessageRetentionPeriod": 600}
    assert variables["WORK_URL"] == {"Ref": "Work"}
    assert complaints(template) == []


def test_the_example_in_the_topologys_own_words_works() -> None:
    example = re.findall(r"^    (.*)", str(topology.__doc__), re.MULTILINE)
    names: dict[str, Any] = {"Setting": Setting, "text": text, "declares": declares}
    names |= {"Ref": Ref, "sns": sns, "work_queue": work_queue}
    exec("\n".join(example), names)
    entries = (names["news_topic"], names["REPORTS"], *TOPOLOGY)
    template = compose(deployment(entries, topic_name="my-news"), entries)
    assert template.to_dict()["Resources"]["NewsTopic"]["Properties"]["TopicName"] == "my-news"
    assert "ReportsQueueUrl" in template.to_dict()["Outputs"]
    assert complaints(template) == []


@pytest.mark.parametrize("command", ["provision", "template"])
def test_the_examples_of_the_help_compose(command: str) -> None:
    shown = importlib.import_module(f"deploy.commands.{command}").command
    examples = re.findall(rf"^ +twofold {command} ([^|\n]*)", shown.help, re.MULTILINE)
    assert examples
    stages: dict[str, dict[str, object]] = {"dev": {}, "prod": {}}
    for example in examples:
        given = shown.make_context(command, shlex.split(example)).params
        names = [setting.name for setting in (*GENERAL, *topology_settings())]
        flags = {name: given[name] for name in names if given.get(name) is not None}
        composed(stages=stages, **flags)


def _leaves(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    if isinstance(value, dict):
        entries = value.items()
    elif isinstance(value, list):
        entries = {str(at): entry for at, entry in enumerate(value)}.items()
    else:
        return {path: value}
    return {
        leaf: found
        for key, entry in entries
        for leaf, found in _leaves(entry, (*path, key)).items()
    }
