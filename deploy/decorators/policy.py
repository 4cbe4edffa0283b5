"""IAM documents: who may take on a role, and what the role may then do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from troposphere import AWSHelperFn, GetAtt, Ref, Sub, iam

from deploy.template.queue import Queue

_VERSION = "2012-10-17"


def trust(service: str) -> dict[str, Any]:
    """Exactly one AWS service may take on the role: 'ec2' or 'lambda'.

    A service's principal ends in the partition's own suffix (AWS IAM User Guide, "AWS JSON
    policy elements: Principal"); Lambda's is lambda.amazonaws.com everywhere.
    """
    principal = f"{service}.amazonaws.com" if service == "lambda" else _in_partition(service)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": principal},
        "Action": "sts:AssumeRole",
    }
    return {"Version": _VERSION, "Statement": [statement]}


def _in_partition(service: str) -> Sub:
    return Sub(f"{service}.${{AWS::URLSuffix}}")


def allow(*actions: str, on: str | AWSHelperFn) -> dict[str, Any]:
    """One statement of a policy; `on` is one resource's ARN."""
    return {"Effect": "Allow", "Action": sorted(actions), "Resource": on}


def write_logs(log_group: str) -> dict[str, Any]:
    """Lines into this log group, and into no other; the group is the stack's to create."""
    return allow("logs:CreateLogStream", "logs:PutLogEvents", on=GetAtt(log_group, "Arn"))


def send_to(queues: Sequence[Queue]) -> list[iam.Policy]:
    """Messages into the service's own queues; without any there is nothing to allow."""
    statements = [allow("sqs:SendMessage", on=GetAtt(queue.logical_id, "Arn")) for queue in queues]
    return [policy("Queues", *statements)] if statements else []


def policy(name: str, *statements: dict[str, Any]) -> iam.Policy:
    """An inline policy of a role."""
    return iam.Policy(PolicyName=name, PolicyDocument=_document(statements))


def attached(title: str, role: str, *statements: dict[str, Any]) -> iam.PolicyType:
    """The same as a resource of its own, for a decorator that did not make the role."""
    return iam.PolicyType(
        title, PolicyName=title, PolicyDocument=_document(statements), Roles=[Ref(role)]
    )


def _document(statements: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": _VERSION, "Statement": list(statements)}
