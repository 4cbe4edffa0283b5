"""EDGE: asks AWS and the sides themselves what runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from deploy import logical_id
from deploy.aws.running import FleetState, FunctionState, InstanceState
from deploy.connection import Connection
from deploy.errors import AwsError
from deploy.question import Question, ask
from deploy.stack import Stack, StackResource
from deploy.stack.status import LogStream, Side, Status, failure_of, release_of

_HEALTH_SECONDS = 3.0


def inspect(connection: Connection) -> Status:
    """The stack, its release, and each side's digest."""
    aws, name = connection.aws, connection.settings.stack
    stack = aws.stack(name)
    if stack is None or stack.status == "REVIEW_IN_PROGRESS":
        return Status(name, aws.region, None)
    resources = {resource.logical_id: resource for resource in aws.resources(stack.id)}
    metadata = aws.resource_metadata(stack.id, logical_id.FLEET)
    function = _function(connection, resources)
    fleet = _fleet(connection, resources)
    release = release_of(metadata, stack.outputs)
    lambda_side = (_lambda_side(connection, function, stack),) if function else ()
    found = [_instance_side(*one) for one in instances(connection, stack, fleet)]
    wanted = release.sha256 if release else ""
    told = [explained(aws, side, wanted, _stream_of(side, stack, fleet)) for side in found]
    return Status(
        name,
        aws.region,
        stack,
        release,
        function,
        # On a laptop without guests the embedded AWS keeps no instances; one is played.
        None if connection.local and connection.local.instance_url else fleet,
        (*lambda_side, *told),
    )


class LogLines(Protocol):
    """Who can be asked for the lines of a log; Aws can."""

    def log_lines(self, group: str, stream: str) -> Sequence[str]: ...


def explained(aws: LogLines, side: Side, wanted: str, stream: LogStream | None) -> Side:
    """With the reason why it does not run the release `wanted`, if its stream has it."""
    if stream is None or side.digest == wanted or not wanted:
        return side
    try:
        failure = failure_of(aws.log_lines(stream.group, stream.name), wanted, stream)
    except AwsError as error:  # what runs matters more
        return replace(side, note=", ".join(part for part in (side.note, str(error)) if part))
    return replace(side, failure=failure)


def _stream_of(side: Side, stack: Stack, fleet: FleetState | None) -> LogStream | None:
    """Where install-release says how it ended, as ops/instance/outcome.sh does."""
    group = stack.outputs.get(logical_id.OUTPUT_INSTANCE_LOGS)
    members = fleet.instances if fleet and group else ()
    streams = [f"{one.id}/release" for one in members if side.name == _name(one)]
    return LogStream(group or "", streams[0]) if streams else None


def _name(instance: InstanceState) -> str:
    return f"instance {instance.id}"


def instances(
    connection: Connection, stack: Stack, fleet: FleetState | None
) -> tuple[tuple[str, str, str], ...]:
    """Name, URL (empty when it has no address) and state of each instance."""
    if connection.local and connection.local.instance_url:
        return (("instance", connection.local.instance_url, ""),)
    port = stack.outputs.get(logical_id.OUTPUT_INSTANCE_PORT, "9999")
    members = fleet.instances if fleet else ()
    return tuple((_name(one), _url(one, port), one.state) for one in members)


def fleet_of(connection: Connection, stack: Stack) -> FleetState | None:
    """The stack's Auto Scaling group, if it has one."""
    resources = {one.logical_id: one for one in connection.aws.resources(stack.id)}
    return _fleet(connection, resources)


def _url(instance: InstanceState, port: str) -> str:
    return f"http://{instance.address}:{port}" if instance.address else ""


def _function(connection: Connection, found: dict[str, StackResource]) -> FunctionState | None:
    function = found.get(logical_id.FUNCTION)
    if function is None or not function.physical_id:
        return None
    alias = found.get(logical_id.FUNCTION_ALIAS)
    # The alias is what is called, so what it points to is what runs.
    qualifier = alias.physical_id.rpartition(":")[2] if alias and alias.physical_id else "$LATEST"
    return connection.aws.function(function.physical_id, qualifier)


def _fleet(connection: Connection, found: dict[str, StackResource]) -> FleetState | None:
    fleet = found.get(logical_id.FLEET)
    return connection.aws.fleet(fleet.physical_id) if fleet and fleet.physical_id else None


def _lambda_side(connection: Connection, function: FunctionState, stack: Stack) -> Side:
    if connection.local and connection.local.function_url:
        # `twofold up` plays the function; the embedded AWS only knows what it should run.
        return _asked("lambda", connection.local.function_url, "")
    url = stack.outputs.get(logical_id.OUTPUT_FUNCTION_URL, "")
    note = "" if function.update in ("Successful", "") else f"last update: {function.update}"
    return Side("lambda", function.sha256, url, note)


def _instance_side(name: str, url: str, state: str) -> Side:
    if not url:
        return Side(name, "", "", f"{state}, no address")
    return _asked(name, url, state)


def _asked(name: str, url: str, state: str) -> Side:
    answer = ask(name, url, Question("/healthz"), _HEALTH_SECONDS)
    digest = _digest(answer.body)
    why = answer.problem or ("" if digest else f"/healthz answered {answer.status} without one")
    return Side(name, digest, url, ", ".join(part for part in (state, why) if part))


def _digest(body: bytes) -> str:
    try:
        digest = json.loads(body)["digest"]
    except (ValueError, KeyError, TypeError):
        return ""
    return digest if isinstance(digest, str) and digest != "unknown" else ""
