"""EDGE: where each side of a stack can be asked by HTTP."""

from __future__ import annotations

from collections.abc import Iterable

from deploy import logical_id
from deploy.connection import Connection
from deploy.errors import StackError
from deploy.stack import Stack
from deploy.stack.hints import Hints
from deploy.stack.inspection import fleet_of, instances
from deploy.template.queue import Queue


def existing(connection: Connection) -> Stack:
    """The stack of the settings.

    Raises:
        StackError: it is not there.
    """
    settings = connection.settings
    stack = connection.aws.stack(settings.stack)
    if stack is None:
        raise StackError(
            f"Stack {settings.stack!r} does not exist in {connection.aws.region}. "
            f"{remedy(connection)}"
        )
    return stack


def remedy(connection: Connection) -> str:
    """What to do about a stack that is not there; never one that makes it in AWS by mistake."""
    stage = connection.settings.stage
    if connection.local is None:
        return f"Create it with: twofold provision {same_stack(connection)}"
    return (
        "Pass the --stage that runs here, or end that with Ctrl-C and start: "
        f"twofold up --stage {stage}"
    )


def function_url(connection: Connection, stack: Stack) -> str:
    """The Lambda side's.

    Raises:
        StackError: the stack has none.
    """
    output = stack.outputs.get(logical_id.OUTPUT_FUNCTION_URL, "")
    url = connection.local.function_url if connection.local else output
    if not url:
        raise StackError(nothing_to_ask(connection, stack, "Function URL"))
    return url


def reachable(connection: Connection, stack: Stack) -> list[tuple[str, str]]:
    """Name and URL of each instance with an address.

    Raises:
        StackError: there is none.
    """
    fleet = fleet_of(connection, stack)
    sides = [(name, url) for name, url, _ in instances(connection, stack, fleet) if url]
    if not sides:
        raise StackError(nothing_to_ask(connection, stack, "instance with an address"))
    return sides


def nothing_to_ask(connection: Connection, stack: Stack, what: str) -> str:
    """Says that the stack lacks it."""
    return (
        f"Stack {stack.name!r} ({stack.status}) has no {what} to ask. "
        f"Look at it with: twofold status {same_stack(connection)}"
    )


def no_queue(connection: Connection, stack: Stack, name: str, queues: Iterable[Queue]) -> str:
    """Says that the stack lacks the queue, and which of the topology's it has."""
    names = [queue.name for queue in queues]
    there = [known for known in names if logical_id.output_queue(known) in stack.outputs]
    return (
        f"Stack {stack.name!r} has no queue {name!r}; its queues: {', '.join(there) or 'none'}. "
        "Correct --queue, or add the queue to deploy/topology.py and run: "
        f"twofold provision {same_stack(connection)}"
    )


def same_stack(connection: Connection) -> str:
    """The flags with which another command means the same stack in the same AWS."""
    local = connection.local is not None
    return Hints(connection.settings.stage, connection.aws.region, local).flags
