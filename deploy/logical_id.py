"""The names of what the stack is made of: logical IDs, the metadata key, output keys.

CloudFormation replaces a resource whose logical ID changes, so a name here is for ever.
"""

from __future__ import annotations

import hashlib
import re

FUNCTION = "ServiceFunction"
FUNCTION_LOGS = "ServiceFunctionLogs"
FUNCTION_ROLE = "ServiceFunctionRole"
FUNCTION_ALIAS = "ServiceAlias"
FUNCTION_URL = "ServiceUrl"
FUNCTION_URL_PERMISSION = "ServiceUrlPermission"
FUNCTION_INVOKE_PERMISSION = "ServiceInvokePermission"

INSTANCE_ROLE = "ServiceInstanceRole"
INSTANCE_PROFILE = "ServiceInstanceProfile"
INSTANCE_LOGS = "ServiceInstanceLogs"
SECURITY_GROUP = "ServiceSecurityGroup"
LAUNCH_TEMPLATE = "ServiceLaunchTemplate"
FLEET = "ServiceFleet"

RELEASE = "Release"
"""The key of the release pointer in the fleet's metadata; cfn-hup watches it."""

OUTPUT_FUNCTION_NAME = "FunctionName"
OUTPUT_FUNCTION_ALIAS = "FunctionAliasArn"
OUTPUT_FUNCTION_VERSION = "FunctionVersion"
OUTPUT_FUNCTION_URL = "FunctionUrl"
OUTPUT_FUNCTION_LOGS = "FunctionLogGroup"
OUTPUT_FLEET = "FleetName"
OUTPUT_INSTANCE_PORT = "InstancePort"
OUTPUT_INSTANCE_LOGS = "InstanceLogGroup"
OUTPUT_DIGEST = "ArtifactDigest"
OUTPUT_BUILD_ID = "BuildId"


def titled(name: str) -> str:
    """'BigOrders' for 'big-orders': how the names of a queue's parts begin."""
    return "".join(part.capitalize() for part in name.split("-"))


def output_queue(name: str) -> str:
    """The key of the output with a work queue's URL, such as BigOrdersQueueUrl."""
    return f"{titled(name)}QueueUrl"


def output_dead_letters(name: str) -> str:
    """The key of the output with the URL of its dead-letter queue."""
    return f"{titled(name)}DeadLettersUrl"


def function_version(configuration: bytes) -> str:
    """The logical ID of the version that has this code and this configuration.

    A version cannot be changed, so a new ID is what makes CloudFormation publish one.
    """
    return "ServiceVersion" + hashlib.sha256(configuration).hexdigest()[:16]


def derived(prefix: str, *parts: str) -> str:
    """An alphanumeric logical ID that stays the same for the same parts.

    For a resource that a decorator makes once per queue, bucket or route: the parts keep
    apart what differs, also ('ab', 'c') and ('a', 'bc').
    """
    digest = hashlib.sha256("\0".join((prefix, *parts)).encode()).hexdigest()[:12]
    return re.sub(r"[^A-Za-z0-9]", "", prefix) + digest
