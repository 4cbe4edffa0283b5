"""The Lambda side of the template."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from troposphere import Tags, Template

from deploy.decorators.function import function
from deploy.errors import SettingsError
from deploy.template import Deployment, TemplateDecorator
from tests.deploy.stacks import BUCKET, DIGEST, composed, pointer, properties, resource

PYTHONS = {"3.11": "python3.11", "3.12": "python3.12", "3.13": "python3.13"}


def version_id(template: dict[str, Any]) -> str:
    (found,) = (title for title in template["Resources"] if title.startswith("ServiceVersion"))
    return str(found)


def made(*decorators: TemplateDecorator, **settings: Any) -> dict[str, Any]:
    return composed((*decorators, function), **settings)


def test_the_function_runs_the_artifact() -> None:
    found = properties(made(), "ServiceFunction")
    assert found["Code"] == {"S3Bucket": BUCKET, "S3Key": f"hello/artifacts/{DIGEST}.zip"}
    assert found["Handler"] == "service.lambda_function.lambda_handler"
    assert found["Environment"]["Variables"] == {"SERVICE_NAME": "hello", "SERVICE_DIGEST": DIGEST}


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_the_runtime_is_what_the_artifact_was_built_for(python: str, architecture: str) -> None:
    found = properties(made(python=python, architecture=architecture), "ServiceFunction")
    assert (found["Runtime"], found["Architectures"]) == (PYTHONS[python], [architecture])


def test_memory_and_timeout_are_settings() -> None:
    found = properties(made(memory_mb=1024, timeout_seconds=60), "ServiceFunction")
    assert (found["MemorySize"], found["Timeout"]) == (1024, 60)


def test_its_lines_go_to_a_log_group_that_forgets() -> None:
    template = made(log_retention_days=90)
    assert properties(template, "ServiceFunctionLogs") == {
        "LogGroupName": "/twofold/hello-dev/function",
        "RetentionInDays": 90,
    }
    assert properties(template, "ServiceFunction")["LoggingConfig"] == {
        "LogGroup": {"Ref": "ServiceFunctionLogs"}
    }


def test_a_retention_that_cloudwatch_does_not_know_is_an_error() -> None:
    with pytest.raises(SettingsError, match=r"log_retention_days is 10 .*expected one of 1, 3, 5"):
        made(log_retention_days=10)


def test_its_role_writes_lines_and_nothing_else() -> None:
    found = properties(made(), "ServiceFunctionRole")
    (trust,) = found["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
    ((statement,),) = (policy["PolicyDocument"]["Statement"] for policy in found["Policies"])
    assert statement == {
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": {"Fn::GetAtt": ["ServiceFunctionLogs", "Arn"]},
    }


def test_the_alias_points_to_the_version() -> None:
    template = made()
    assert properties(template, "ServiceAlias") == {
        "Name": "live",
        "FunctionName": {"Ref": "ServiceFunction"},
        "FunctionVersion": {"Fn::GetAtt": [version_id(template), "Version"]},
    }


def test_lambda_publishes_the_version_only_of_this_artifact() -> None:
    template = made()
    digest = properties(template, version_id(template))["CodeSha256"]
    assert base64.b64decode(digest).hex() == DIGEST


def test_earlier_versions_stay_but_not_that_of_a_failed_update() -> None:
    template = made()
    version = resource(template, version_id(template))
    assert version["DeletionPolicy"] == "RetainExceptOnCreate"
    assert version["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("settings", [{"memory_mb": 1024}, {"timeout_seconds": 7}])
def test_new_configuration_is_a_new_version(settings: dict[str, Any]) -> None:
    assert version_id(made(**settings)) != version_id(made())


def test_new_code_is_a_new_version() -> None:
    assert version_id(made(artifact=pointer("81" * 32))) != version_id(made())


def test_another_build_of_the_same_code_is_the_same_version() -> None:
    assert version_id(made(artifact=pointer(build_id="other"))) == version_id(made())


def test_what_lambda_does_not_publish_makes_no_version() -> None:
    def tagged(template: Template, deployment: Deployment) -> None:
        deployment.function.Tags = Tags(Owner="me")
        deployment.function.ReservedConcurrentExecutions = 5

    assert version_id(made(tagged)) == version_id(made())


def test_the_outputs_name_the_function() -> None:
    outputs = made()["Outputs"]
    assert outputs["FunctionName"]["Value"] == {"Ref": "ServiceFunction"}
    assert outputs["FunctionAliasArn"]["Value"] == {"Ref": "ServiceAlias"}
    assert outputs["FunctionLogGroup"]["Value"] == {"Ref": "ServiceFunctionLogs"}
