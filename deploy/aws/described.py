"""AWS's answers as this package's values. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from deploy.aws.running import (
    FleetState,
    FunctionState,
    InstanceState,
    LaunchTemplateState,
    QueueMapping,
)
from deploy.stack import Change, ChangeSet, Stack, StackEvent, StackResource


def base64_of(sha256: str) -> str:
    """S3's form of a digest of 64 hex digits."""
    return base64.b64encode(binascii.unhexlify(sha256)).decode()


def hex_of(sha256: str) -> str:
    """64 hex digits of S3's or Lambda's form of a digest."""
    return base64.b64decode(sha256).hex()


def stack_of(described: Mapping[str, Any]) -> Stack:
    """From DescribeStacks."""
    return Stack(
        id=described["StackId"],
        name=described["StackName"],
        status=described["StackStatus"],
        reason=described.get("StackStatusReason") or "",
        outputs={one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", ())},
    )


def event_of(event: Mapping[str, Any]) -> StackEvent:
    """From DescribeStackEvents."""
    return StackEvent(
        id=event["EventId"],
        time=event["Timestamp"],
        logical_id=event.get("LogicalResourceId", ""),
        physical_id=event.get("PhysicalResourceId", ""),
        type=event.get("ResourceType", ""),
        status=event.get("ResourceStatus", ""),
        reason=event.get("ResourceStatusReason") or "",
    )


def resource_of(one: Mapping[str, Any]) -> StackResource:
    """From ListStackResources."""
    return StackResource(
        one["LogicalResourceId"],
        one.get("PhysicalResourceId", ""),
        one["ResourceType"],
        one["ResourceStatus"],
    )


def change_set_of(pages: Sequence[Mapping[str, Any]]) -> ChangeSet:
    """From all pages of DescribeChangeSet."""
    first = pages[0]
    return ChangeSet(
        id=first["ChangeSetId"],
        stack_id=first["StackId"],
        status=first["Status"],
        reason=first.get("StatusReason") or "",
        changes=tuple(
            _change(change["ResourceChange"])
            for page in pages
            for change in page.get("Changes", ())
            if "ResourceChange" in change
        ),
    )


def _change(change: Mapping[str, Any]) -> Change:
    targets = [detail.get("Target", {}) for detail in change.get("Details", ())]
    names = [target.get("Name") or target.get("Attribute", "") for target in targets]
    scope = change.get("Scope", ())
    return Change(
        action=change["Action"],
        logical_id=change["LogicalResourceId"],
        type=change["ResourceType"],
        replacement=change.get("Replacement", ""),
        properties=tuple(dict.fromkeys(name for name in names if name)) or tuple(scope),
    )


def function_of(found: Mapping[str, Any]) -> FunctionState:
    """From GetFunctionConfiguration."""
    return FunctionState(
        name=found["FunctionName"],
        runtime=found.get("Runtime", ""),
        architecture=(found.get("Architectures") or ["x86_64"])[0],
        handler=found.get("Handler", ""),
        memory=found["MemorySize"],
        timeout=found["Timeout"],
        sha256=hex_of(found["CodeSha256"]),
        environment=dict(found.get("Environment", {}).get("Variables", {})),
        state=found.get("State", ""),
        update=found.get("LastUpdateStatus", ""),
    )


def launch_template_of(version: Mapping[str, Any]) -> LaunchTemplateState:
    """From an entry of DescribeLaunchTemplateVersions."""
    launched = version["LaunchTemplateData"]
    return LaunchTemplateState(
        image=launched.get("ImageId", ""),
        type=launched.get("InstanceType", ""),
        key=launched.get("KeyName", ""),
        user_data=base64.b64decode(launched.get("UserData", "")),
        tokens_required=launched.get("MetadataOptions", {}).get("HttpTokens") == "required",
    )


def fleet_of(group: Mapping[str, Any], addresses: Mapping[str, str]) -> FleetState:
    """From DescribeAutoScalingGroups, and from instance ID to address."""
    return FleetState(
        name=group["AutoScalingGroupName"],
        desired=group["DesiredCapacity"],
        minimum=group["MinSize"],
        maximum=group["MaxSize"],
        instances=tuple(_member(one, addresses) for one in group.get("Instances", ())),
        launch_template_version=group.get("LaunchTemplate", {}).get("Version", ""),
    )


def _member(member: Mapping[str, Any], addresses: Mapping[str, str]) -> InstanceState:
    return InstanceState(
        id=member["InstanceId"],
        state=member["LifecycleState"],
        health=member["HealthStatus"],
        address=addresses.get(member["InstanceId"], ""),
        launch_template_version=member.get("LaunchTemplate", {}).get("Version", ""),
    )


def mapping_of(found: Mapping[str, Any]) -> QueueMapping:
    """From ListEventSourceMappings."""
    return QueueMapping(
        id=found["UUID"],
        queue_arn=found["EventSourceArn"],
        batch_size=found["BatchSize"],
        reports_failures="ReportBatchItemFailures" in found.get("FunctionResponseTypes", ()),
        is_enabled=found["State"] in ("Enabled", "Enabling", "Creating"),
    )
