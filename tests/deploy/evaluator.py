"""What CloudFormation makes of an expression, as far as the tests need it."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

REFS = {
    "AWS::Region": "eu-central-1",
    "AWS::StackName": "hello-dev",
    "Queue": "https://queue",
    "ServiceInstanceLogs": "/logs",
}
MAPS = {"Images": {"eu-central-1": {"amd64": "ami-1"}}}
EXPORTS = {"shared-vpc": "vpc-1"}
ZONES = ["eu-central-1a", "eu-central-1b"]


def evaluate(value: Any) -> Any:
    """The value with its intrinsics resolved; an attribute's value is RESOURCE.ATTRIBUTE."""
    if isinstance(value, list):
        return [evaluate(entry) for entry in value]
    if not isinstance(value, Mapping):
        return value
    ((name, operand),) = value.items()
    if name == "Fn::Sub":
        return _sub(operand)
    return _FUNCTIONS[name](evaluate(operand))


def _sub(operand: Any) -> str:
    text, variables = operand if isinstance(operand, list) else (operand, {})
    known = {**REFS, **{name: evaluate(value) for name, value in variables.items()}}
    found = re.sub(r"\$\{([^!}][^}]*)\}", lambda match: str(known[match[1]]), text)
    return found.replace("${!", "${")


_FUNCTIONS: dict[str, Any] = {
    "Ref": lambda name: REFS[name],
    "Fn::GetAtt": ".".join,
    "Fn::ImportValue": lambda name: EXPORTS[name],
    "Fn::Select": lambda operand: operand[1][int(operand[0])],
    "Fn::FindInMap": lambda keys: MAPS[keys[0]][keys[1]][keys[2]],
    "Fn::Join": lambda operand: operand[0].join(operand[1]),
    "Fn::If": lambda operand: operand[1],
    "Fn::Base64": lambda text: base64.b64encode(text.encode()).decode(),
    "Fn::Split": lambda operand: operand[1].split(operand[0]),
    "Fn::GetAZs": lambda _: ZONES,
}
