"""EDGE: where each side of a stack can be asked by HTTP."""

from __future__ import annotations

from deploy import logical_id
from deploy.connection import Connection
from deploy.errors import StackError
from deploy.stack import Stack
from deploy.stack.inspection import fleet_of, instances


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
            f"Create it with: twofold provision --stage {settings.stage}"
        )
    return stack


def function_url(connection: Connection, stack: Stack) -> str:
    """The Lambda side's.

    Raises:
        StackError: the stack has none.
    """
    output = stack.outputs.get(logical_id.OUTPUT_FUNCTION_URL, "")
    url = connection.local.function_url if connection.local else output
    if not url:
        raise StackError(nothing_to_ask(stack, "Function URL"))
    return url


def reachable(connection: Connection, stack: Stack) -> list[tuple[str, str]]:
    """Name and URL of each instance with an address.

    Raises:
        StackError: there is none.
    """
    fleet = fleet_of(connection, stack)
    sides = [(name, url) for name, url, _ in instances(connection, stack, fleet) if url]
    if not sides:
        raise StackError(nothing_to_ask(stack, "instance with an address"))
    return sides


def nothing_to_ask(stack: Stack, what: str) -> str:
    """Says that the stack lacks it."""
    return (
        f"Stack {stack.name!r} ({stack.status}) has no {what} to ask. "
        "Look at it with: twofold status"
    )
