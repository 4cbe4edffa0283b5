"""The Lambda side: function, log group, role, version, and the alias `live`."""

from __future__ import annotations

import base64
import json

from troposphere import GetAtt, Output, Ref, Template, awslambda, iam

from deploy import logical_id
from deploy.artifact import ReleasePointer
from deploy.decorators.log_group import LOG_RETENTION, log_group
from deploy.decorators.policy import policy, send_to, trust, write_logs
from deploy.setting import Setting, whole
from deploy.settings import TIMEOUT, Settings
from deploy.target import PYTHONS
from deploy.template import Deployment
from deploy.template.declarations import declares
from deploy.template.queue import addresses

ALIAS = "live"
HANDLER = "service.lambda_function.lambda_handler"

MEMORY = Setting(
    "memory_mb",
    whole(128, 10_240),
    "The function's memory in MB; its share of a processor grows with it.",
    512,
)

# AWS Lambda API Reference, "PublishVersion": of code and configuration only. These belong
# to the function as a whole, and publishing what did not change is an error.
_UNVERSIONED = ("Tags", "ReservedConcurrentExecutions", "CodeSigningConfigArn", "RecursiveLoop")


def function_resource(settings: Settings, artifact: ReleasePointer) -> awslambda.Function:
    """The function that runs the artifact; what becomes `Deployment.function`."""
    return awslambda.Function(
        logical_id.FUNCTION,
        Description=f"{settings.stack}: the Lambda side",
        Runtime=PYTHONS[settings.target.python].runtime,
        Architectures=[settings.target.architecture],
        Handler=HANDLER,
        Code=awslambda.Code(S3Bucket=artifact.bucket, S3Key=artifact.key),
        MemorySize=settings[MEMORY],
        Timeout=settings[TIMEOUT],
        Role=GetAtt(logical_id.FUNCTION_ROLE, "Arn"),
        LoggingConfig=awslambda.LoggingConfig(LogGroup=Ref(logical_id.FUNCTION_LOGS)),
        Environment=awslambda.Environment(
            Variables={"SERVICE_NAME": settings.name, "SERVICE_DIGEST": artifact.sha256}
        ),
    )


@declares(MEMORY, LOG_RETENTION)
def function(template: Template, deployment: Deployment) -> None:
    """The function is called through its alias, so that a release is one switch."""
    template.add_resource(log_group(logical_id.FUNCTION_LOGS, "function", deployment.settings))
    template.add_resource(_role(deployment))
    if deployment.queues:
        variables = deployment.function.Environment.Variables
        variables["SERVICE_QUEUES"] = addresses(deployment.queues)
    template.add_resource(deployment.function)
    version = template.add_resource(_version(deployment))
    template.add_resource(
        awslambda.Alias(
            logical_id.FUNCTION_ALIAS,
            Name=ALIAS,
            FunctionName=Ref(deployment.function_id),
            FunctionVersion=GetAtt(version, "Version"),
        )
    )
    _add_outputs(template, deployment, version)


def _role(deployment: Deployment) -> iam.Role:
    return iam.Role(
        logical_id.FUNCTION_ROLE,
        AssumeRolePolicyDocument=trust("lambda"),
        Policies=[
            policy("Logs", write_logs(logical_id.FUNCTION_LOGS)),
            *send_to(deployment.queues),
        ],
    )


def _version(deployment: Deployment) -> awslambda.Version:
    """Lambda refuses to publish it unless the code is the artifact.

    Earlier versions stay, so that invocations that still run on one come to their end; they
    go with the function. A version of a failed update goes with that update: were it kept,
    trying the same again would publish what exists, which is an error.
    """
    return awslambda.Version(
        logical_id.function_version(_versioned(deployment)),
        FunctionName=Ref(deployment.function_id),
        CodeSha256=base64.b64encode(bytes.fromhex(deployment.artifact.sha256)).decode(),
        DeletionPolicy="RetainExceptOnCreate",
        UpdateReplacePolicy="Retain",
    )


def _versioned(deployment: Deployment) -> bytes:
    """What a version is published of. Not where the code lies: its digest is the code.

    As the template says it: when something that the function refers to is replaced (a queue
    with a new name, say), the alias shows the old one until the next release. Give that
    resource a new logical ID with its new name; `logical_id.derived` makes one.
    """
    properties = deployment.function.to_dict()["Properties"]
    for name in ("Code", *_UNVERSIONED):
        properties.pop(name, None)
    return json.dumps([deployment.artifact.sha256, properties], sort_keys=True).encode()


def _add_outputs(template: Template, deployment: Deployment, version: awslambda.Version) -> None:
    for key, description, value in (
        (logical_id.OUTPUT_FUNCTION_NAME, "The function", Ref(deployment.function_id)),
        (logical_id.OUTPUT_FUNCTION_ALIAS, "What to invoke", Ref(logical_id.FUNCTION_ALIAS)),
        (logical_id.OUTPUT_FUNCTION_VERSION, "What the alias means", GetAtt(version, "Version")),
        (logical_id.OUTPUT_FUNCTION_LOGS, "The function's lines", Ref(logical_id.FUNCTION_LOGS)),
    ):
        template.add_output(Output(key, Description=description, Value=value))
