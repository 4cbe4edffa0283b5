"""What the instances' log group adds to what the instances answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from deploy.aws.running import FleetState, InstanceState
from deploy.errors import AwsError
from deploy.stack import Stack, StackResource
from deploy.stack.inspection import explained, inspect
from deploy.stack.status import Failure, LogStream, Side

NEW, OLD = "a" * 64, "b" * 64
STREAM = LogStream("/twofold/hello-dev/instances", "i-1/release")
LINE = {
    "level": "ERROR",
    "logger": "install-release",
    "message": "no database",
    "release": NEW,
    "kept": OLD,
    "log": "",
}


@dataclass
class Logs:
    """One stream, and who asked for it."""

    lines: Sequence[str] = (json.dumps(LINE),)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def log_lines(self, group: str, stream: str) -> Sequence[str]:
        self.asked.append((group, stream))
        return self.lines


class Refusing:
    """A log group that may not be read."""

    def log_lines(self, group: str, stream: str) -> Sequence[str]:
        raise AwsError("Not allowed: logs:GetLogEvents.")


def test_an_instance_with_another_release_says_why() -> None:
    logs = Logs()
    found = explained(logs, Side("instance i-1", OLD), NEW, STREAM)
    assert found.failure == Failure("no database", OLD, "", STREAM)
    assert logs.asked == [("/twofold/hello-dev/instances", "i-1/release")]


def test_an_instance_with_the_release_is_not_asked_about_older_failures() -> None:
    logs = Logs()
    side = Side("instance i-1", NEW)
    assert explained(logs, side, NEW, STREAM) == side
    assert explained(logs, Side("instance", OLD), NEW, None).failure is None
    assert explained(logs, Side("instance i-1", ""), "", STREAM).failure is None
    assert logs.asked == []


def test_a_log_that_may_not_be_read_hides_nothing_else() -> None:
    found = explained(Refusing(), Side("instance i-1", OLD, note="InService"), NEW, STREAM)
    assert found.note == "InService, Not allowed: logs:GetLogEvents."
    assert found.failure is None


class Account(Logs):
    """A stack with a fleet of one instance that has no address yet."""

    region = "eu-central-1"

    def stack(self, name: str) -> Stack:
        return Stack("arn", name, "UPDATE_COMPLETE", "", {"InstanceLogGroup": STREAM.group})

    def resources(self, stack: str) -> Sequence[StackResource]:
        return [StackResource("ServiceFleet", "the-fleet", "AWS::X", "UPDATE_COMPLETE")]

    def resource_metadata(self, stack: str, logical_id: str) -> dict[str, Any]:
        return {"Release": {"Bucket": "b", "Key": "k", "Sha256": NEW, "BuildId": "build-7"}}

    def fleet(self, name: str) -> FleetState:
        instance = InstanceState("i-1", "InService", "Healthy", "", "1")
        return FleetState(name, 1, 1, 2, (instance,))


def test_the_stream_is_the_instances_own_in_the_log_group_of_the_stack() -> None:
    connection = SimpleNamespace(
        aws=Account(), settings=SimpleNamespace(stack="hello-dev"), local=None
    )
    status = inspect(cast(Any, connection))
    (side,) = status.sides
    assert side.name == "instance i-1"
    assert side.failure == Failure("no database", OLD, "", STREAM)
