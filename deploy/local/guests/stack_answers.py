"""CloudFormation's answers about a stack, with what is played put in. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from deploy.local.guests.query import Query, append
from deploy.stack import StackEvent

_CHANGED = "LastUpdatedTimestamp"
_SIGNALS = ("FAILURE", "SUCCESS")
_EVENTS = "DescribeStackEventsResult/StackEvents"


def signal_problem(asked: Query) -> str:
    """What CloudFormation finds wrong with the parameters of SignalResource; else empty."""
    for name in ("StackName", "LogicalResourceId", "UniqueId", "Status"):
        if not asked.get(name):
            return (
                f"1 validation error detected: Value null at '{name[0].lower()}{name[1:]}' failed "
                "to satisfy constraint: Member must not be null"
            )
    if asked.get("Status") not in _SIGNALS:
        return (
            f"1 validation error detected: Value '{asked.get('Status')}' at 'status' failed to "
            "satisfy constraint: Member must satisfy enum value set: [FAILURE, SUCCESS]"
        )
    return ""


def show_status(root: ET.Element, shown: Callable[[str, str], str]) -> None:
    """DescribeStacks tells each stack's status as `shown` gives it for name and status."""
    for stack in root.iterfind("DescribeStacksResult/Stacks/member"):
        for status in stack.iterfind("StackStatus"):
            status.text = shown(stack.findtext("StackName", ""), status.text or "")


def show_resource(root: ET.Element, played: Iterable[StackEvent]) -> None:
    """DescribeStackResource tells the status of the resource's newest event.

    cfn-hup waits while that is one in progress, as when instances are being replaced.
    """
    for detail in root.iterfind("DescribeStackResourceResult/StackResourceDetail"):
        name, changed = (detail.findtext(key, "") for key in ("LogicalResourceId", _CHANGED))
        own = [event for event in played if event.logical_id == name]
        if own and own[-1].time >= datetime.fromisoformat(changed):
            newest = {"ResourceStatus": own[-1].status, _CHANGED: _text(own[-1].time)}
            for key, text in newest.items():
                for element in detail.iterfind(key):
                    element.text = text


def put_events(
    root: ET.Element, played: Sequence[StackEvent], held_back: Callable[[StackEvent], bool]
) -> None:
    """DescribeStackEvents tells the played events among the others, the newest first."""
    for events in root.iterfind(_EVENTS):
        other = events[0] if len(events) else ET.Element("member")
        told = [one for one in events if not held_back(_event(one))]
        members = [*(_member(one, other) for one in reversed(played)), *told]
        events[:] = sorted(members, key=lambda one: _event(one).time, reverse=True)


def join_events(pages: Sequence[ET.Element]) -> ET.Element:
    """All pages of DescribeStackEvents as one; what came meanwhile has shifted the later ones."""
    whole = pages[0]
    members = [one for page in pages for one in page.iterfind(f"{_EVENTS}/member")]
    for events in whole.iterfind(_EVENTS):
        events[:] = {one.findtext("EventId"): one for one in members}.values()
    for result in whole.iterfind("DescribeStackEventsResult"):
        for token in result.findall("NextToken"):
            result.remove(token)
    return whole


def next_token(root: ET.Element) -> str:
    """What asks for the next page; empty on the last one."""
    return root.findtext("*/NextToken", "")


def _event(member: ET.Element) -> StackEvent:
    return StackEvent(
        id=member.findtext("EventId", ""),
        time=datetime.fromisoformat(member.findtext("Timestamp", "")),
        logical_id=member.findtext("LogicalResourceId", ""),
        physical_id=member.findtext("PhysicalResourceId", ""),
        type=member.findtext("ResourceType", ""),
        status=member.findtext("ResourceStatus", ""),
        reason=member.findtext("ResourceStatusReason", ""),
    )


def _member(event: StackEvent, other: ET.Element) -> ET.Element:
    """`other` is an event of the same stack."""
    member = ET.Element("member")
    append(
        member,
        {
            "StackId": other.findtext("StackId", ""),
            "StackName": other.findtext("StackName", ""),
            "EventId": event.id,
            "LogicalResourceId": event.logical_id,
            "PhysicalResourceId": event.physical_id,
            "ResourceType": event.type,
            "ResourceStatus": event.status,
            "ResourceStatusReason": event.reason,
            "Timestamp": _text(event.time),
        },
    )
    return member


def _text(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
