"""Auto Scaling's and EC2's answers about instances, with the members of the fleet. Pure."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from uuid import uuid4
from xml.etree import ElementTree as ET

from deploy.local.guests.played import Member
from deploy.local.guests.query import EC2, answer, append

_GROUPS = "DescribeAutoScalingGroupsResult/AutoScalingGroups/member"
_RUNNING = ("16", "running")
# EC2's code and name of an instance's state, by the beginning of its lifecycle state.
_STATES = {
    "Pending": ("0", "pending"),
    "Terminating": ("32", "shutting-down"),
    "Terminated": ("48", "terminated"),
}


def groups(root: ET.Element) -> tuple[str, ...]:
    """The names of the groups that DescribeAutoScalingGroups tells of."""
    return tuple(group.findtext("AutoScalingGroupName", "") for group in root.iterfind(_GROUPS))


def put_members(root: ET.Element, members: Callable[[str], Sequence[Member]]) -> None:
    """DescribeAutoScalingGroups tells the group's members, and no others."""
    for group in root.iterfind(_GROUPS):
        for instances in group.findall("Instances"):
            group.remove(instances)
        instances = ET.SubElement(group, "Instances")
        for member in members(group.findtext("AutoScalingGroupName", "")):
            instances.append(_in_group(member, group.find("LaunchTemplate")))


def no_instances() -> ET.Element:
    """DescribeInstances tells of none."""
    root = answer("DescribeInstances", EC2)
    append(root, {"requestId": str(uuid4()), "reservationSet": ""})
    return root


def put_instances(root: ET.Element, members: Iterable[Member]) -> None:
    """DescribeInstances tells these as well, each in a reservation of its own."""
    for reservations in root.iterfind("reservationSet"):
        for member in members:
            reservation = ET.SubElement(reservations, "item")
            append(reservation, {"reservationId": f"r-{member.instance.removeprefix('i-')}"})
            ET.SubElement(reservation, "instancesSet").append(_instance(member))


def _in_group(member: Member, template: ET.Element | None) -> ET.Element:
    told = ET.Element("member")
    append(
        told,
        {
            "InstanceId": member.instance,
            "InstanceType": member.type,
            "AvailabilityZone": member.zone,
            "LifecycleState": member.state,
            "HealthStatus": "Healthy",
            "ProtectedFromScaleIn": "false",
        },
    )
    if template is not None:
        own = copy.deepcopy(template)
        for version in own.iterfind("Version"):
            version.text = member.launch_template_version
        told.append(own)
    return told


def _instance(member: Member) -> ET.Element:
    """Without addresses when it is terminated, as EC2 tells it for an hour."""
    told = ET.Element("item")
    append(told, {"instanceId": member.instance, "imageId": member.image})
    code, name = _STATES.get(member.state.partition(":")[0], _RUNNING)
    append(ET.SubElement(told, "instanceState"), {"code": code, "name": name})
    append(told, {"instanceType": member.type})
    append(ET.SubElement(told, "placement"), {"availabilityZone": member.zone})
    if name != "terminated":
        addresses = {
            "privateIpAddress": member.private_address,
            "ipAddress": member.public_address,
        }
        append(told, {key: address for key, address in addresses.items() if address})
    return told
